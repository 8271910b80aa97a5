import Testing
import WeftCore
import WeftProxy

@Suite struct AccessRulesTests {
    private static let web = caller("spiffe://m/ns/shop/sa/web")
    private static let other = caller("spiffe://m/ns/system/sa/web")
    private static let host = caller("spiffe://m/ns/weft/sa/db-1")
    private static let api = ServiceName("api")
    private static let shop = TenantName("shop")

    private static func caller(_ text: String) -> AccessRules.Caller {
        guard let identity = SpiffeID(text) else { preconditionFailure("not an identity: \(text)") }
        return .identity(identity)
    }

    @Test("Without rules everybody may", arguments: [web, other, host, .anonymous, .unnamed])
    func open(_ caller: AccessRules.Caller) {
        #expect(AccessRules().verdict(on: caller, calling: Self.api, of: Self.shop) == .allowed)
        #expect(AccessRules().verdict(on: caller, calling: nil, of: nil) == .allowed)
    }

    @Test("A strict host refuses plaintext, and nobody else")
    func strict() {
        var rules = AccessRules()
        rules.isStrict = true
        #expect(rules.verdict(on: .anonymous, calling: Self.api, of: Self.shop) == .denied(rule: "strict"))
        #expect(rules.verdict(on: .anonymous, calling: nil, of: nil) == .denied(rule: "strict"))
        #expect(rules.verdict(on: .unnamed, calling: Self.api, of: Self.shop) == .allowed)
        #expect(rules.verdict(on: Self.other, calling: Self.api, of: Self.shop) == .allowed)
    }

    @Test("An isolated tenant is called by its own only")
    func isolated() throws {
        var rules = AccessRules()
        rules.isolatedTenants = [try #require(Self.shop)]
        let denied = AccessRules.Verdict.denied(rule: "isolate of tenant shop")
        #expect(rules.verdict(on: Self.web, calling: Self.api, of: Self.shop) == .allowed)
        for stranger in [Self.other, Self.host, .anonymous, .unnamed] {
            #expect(rules.verdict(on: stranger, calling: Self.api, of: Self.shop) == denied)
            #expect(rules.verdict(on: stranger, calling: Self.api, of: .system) == .allowed)
        }
    }

    @Test("A list names services of any tenant or of one, and hosts")
    func list() throws {
        let api = try #require(Self.api)
        var rules = AccessRules()
        let denied = AccessRules.Verdict.denied(rule: "allow of service api")
        func verdicts(_ allowed: AllowedCaller...) -> [Bool] {
            rules.allow = [api: allowed]
            return [Self.web, Self.other, Self.host, .anonymous, .unnamed].map { caller in
                let verdict = rules.verdict(on: caller, calling: api, of: Self.shop)
                #expect(verdict == .allowed || verdict == denied)
                return verdict == .allowed
            }
        }
        #expect(verdicts() == [false, false, false, false, false])
        #expect(verdicts(AllowedCaller(namespace: nil, name: "web")) == [true, true, false, false, false])
        #expect(verdicts(AllowedCaller(namespace: "shop", name: "web")) == [true, false, false, false, false])
        #expect(verdicts(AllowedCaller(namespace: "weft", name: "db-1")) == [false, false, true, false, false])
        #expect(verdicts(AllowedCaller(namespace: nil, name: "db-1")) == [false, false, false, false, false])
        #expect(rules.verdict(on: .anonymous, calling: ServiceName("web"), of: Self.shop) == .allowed)
    }
}
