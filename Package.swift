// swift-tools-version: 6.2

import PackageDescription

/// Settings of every Swift target: Swift 6 mode, explicit existentials and imports, and no warnings.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// Of programs: with the runtime linked in, Swift's driver exports every symbol, which keeps code that nobody calls and
/// costs weftd 3.5 MB on disk and 1.5 MB resident. Nothing is ever loaded into these programs that would need the symbols.
let lean: [LinkerSetting] = [.unsafeFlags(["-Xlinker", "--no-export-dynamic"])]

extension Target.Dependency {
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let nioEmbedded = product(name: "NIOEmbedded", package: "swift-nio")
    static let nioHTTP1 = product(name: "NIOHTTP1", package: "swift-nio")
    static let nioTLS = product(name: "NIOTLS", package: "swift-nio")
    static let nioSSL = product(name: "NIOSSL", package: "swift-nio-ssl")
    static let nioHTTP2 = product(name: "NIOHTTP2", package: "swift-nio-http2")
    static let nioHPACK = product(name: "NIOHPACK", package: "swift-nio-http2")
    static let hummingbird = product(name: "Hummingbird", package: "hummingbird")
    static let hummingbirdCore = product(name: "HummingbirdCore", package: "hummingbird")
    static let asyncHTTPClient = product(name: "AsyncHTTPClient", package: "async-http-client")
    static let httpTypes = product(name: "HTTPTypes", package: "swift-http-types")
    static let lifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let unixSignals = product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let logging = product(name: "Logging", package: "swift-log")
    static let arguments = product(name: "ArgumentParser", package: "swift-argument-parser")
    static let crypto = product(name: "Crypto", package: "swift-crypto")
    static let x509 = product(name: "X509", package: "swift-certificates")
    static let asn1 = product(name: "SwiftASN1", package: "swift-asn1")
    static let orderedCollections = product(name: "OrderedCollections", package: "swift-collections")
    static let toml = product(name: "TOMLKit", package: "TOMLKit")
}

// The dependency table below is the architecture: edges point one way, and `RepositoryTests` fails on an `import`
// that it does not name.
let package = Package(
    name: "weft",
    products: [
        .executable(name: "weftd", targets: ["weftd"]),
        .executable(name: "weft", targets: ["weft"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-certificates.git", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1.git", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        // Without traits Hummingbird needs FoundationEssentials only, which keeps ICU's 40 MB out of weftd.
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/LebJe/TOMLKit.git", from: "0.6.0"),
    ],
    targets: [
        // MARK: Cores: no sockets, no clocks, no randomness of their own

        .target(name: "WeftCore", swiftSettings: settings),
        .target(name: "WeftConfig", dependencies: ["WeftCore", .toml], swiftSettings: settings),
        .target(name: "WeftCatalog", dependencies: ["WeftCore"], swiftSettings: settings),
        .target(
            name: "WeftGossip",
            dependencies: ["WeftCore", .crypto, .orderedCollections],
            swiftSettings: settings
        ),
        .target(name: "WeftCapture", dependencies: ["WeftCore"], swiftSettings: settings),
        .target(name: "WeftProxy", dependencies: ["WeftCore"], swiftSettings: settings),
        .target(name: "WeftAPI", swiftSettings: settings),
        // Certificates and keys; NIOSSL is here for the contexts, which are all that leaves it.
        .target(
            name: "WeftIdentity",
            dependencies: ["WeftCore", .crypto, .x509, .asn1, .nioCore, .nioSSL],
            swiftSettings: settings
        ),

        // MARK: Linux

        .target(name: "CWeftLinux"),
        .systemLibrary(name: "CNetfilter", pkgConfig: "libnftnl", providers: [.apt(["libnftnl-dev", "libmnl-dev"])]),
        .target(
            name: "WeftHost",
            dependencies: ["WeftCore", "WeftCatalog", "WeftCapture", "CWeftLinux", "CNetfilter"],
            swiftSettings: settings
        ),

        // MARK: Shells and programs

        .target(
            name: "WeftTransport",
            dependencies: [
                "WeftCore", "WeftCatalog", "WeftGossip", "WeftIdentity", "WeftProxy", .nioCore, .nioPosix, .nioTLS,
                .nioSSL, .nioHTTP1, .nioHTTP2, .nioHPACK, .nioEmbedded, .logging,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "WeftDaemon",
            dependencies: [
                "WeftCore", "WeftConfig", "WeftCatalog", "WeftCapture", "WeftGossip", "WeftIdentity", "WeftProxy",
                "WeftAPI",
                "WeftHost", "WeftTransport", .crypto, .nioCore, .nioPosix, .hummingbird, .hummingbirdCore, .httpTypes,
                .lifecycle,
                .unixSignals,
                .logging,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "WeftCLI",
            dependencies: [
                "WeftCore", "WeftAPI", .asyncHTTPClient, .nioCore, .nioPosix, .nioHTTP1, .arguments,
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "weftd",
            dependencies: ["WeftDaemon", .arguments],
            swiftSettings: settings,
            linkerSettings: lean
        ),
        .executableTarget(name: "weft", dependencies: ["WeftCLI"], swiftSettings: settings, linkerSettings: lean),

        // MARK: Simulation, never installed

        .target(name: "WeftTestKit", dependencies: ["WeftCore", "WeftGossip"], swiftSettings: settings),
        .executableTarget(name: "weft-sim", dependencies: ["WeftTestKit", .arguments], swiftSettings: settings),

        // MARK: Tests

        .target(
            name: "WeftTestRig",
            dependencies: ["WeftAPI"],
            path: "Tests/Support/WeftTestRig",
            swiftSettings: settings
        ),
        .testTarget(name: "RigTests", dependencies: ["WeftTestRig"], swiftSettings: settings),
        .testTarget(name: "RepositoryTests", swiftSettings: settings),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["WeftAPI", "WeftTestRig"],
            exclude: ["Programs"],
            swiftSettings: settings
        ),
        .testTarget(name: "WeftCoreTests", dependencies: ["WeftCore"], swiftSettings: settings),
        .testTarget(
            name: "WeftProxyTests",
            dependencies: ["WeftCore", "WeftProxy", "WeftTestRig", .nioCore, .nioEmbedded, .nioHTTP1],
            swiftSettings: settings
        ),
        .testTarget(name: "WeftConfigTests", dependencies: ["WeftCore", "WeftConfig"], swiftSettings: settings),
        .testTarget(
            name: "WeftCaptureTests",
            dependencies: ["WeftCore", "WeftCapture"],
            exclude: ["Golden"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "WeftGossipTests",
            dependencies: ["WeftCore", "WeftGossip"],
            exclude: ["Fixtures"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["WeftCore", "WeftGossip", "WeftTestKit", "weft-sim"],
            swiftSettings: settings
        ),
        .testTarget(name: "WeftCatalogTests", dependencies: ["WeftCore", "WeftCatalog"], swiftSettings: settings),
        .testTarget(
            name: "WeftIdentityTests",
            dependencies: [
                "WeftCore", "WeftIdentity", .crypto, .x509, .asn1, .nioCore, .nioEmbedded, .nioPosix, .nioTLS, .nioSSL,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "WeftHostTests",
            dependencies: ["WeftCore", "WeftCatalog", "WeftCapture", "WeftHost", "CWeftLinux"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "WeftTransportTests",
            dependencies: [
                "WeftCore", "WeftCatalog", "WeftGossip", "WeftIdentity", "WeftProxy", "WeftTransport", "WeftTestRig",
                .nioCore, .nioPosix, .nioTLS, .nioSSL, .nioHTTP2, .nioHPACK, .nioEmbedded, .logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "WeftDaemonTests",
            dependencies: [
                "WeftCore", "WeftConfig", "WeftCatalog", "WeftCapture", "WeftGossip", "WeftIdentity", "WeftProxy",
                "WeftAPI",
                "WeftHost", "WeftTransport", "WeftDaemon", "WeftTestRig", .nioCore, .nioPosix, .nioHTTP1, .lifecycle,
                .logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "WeftCLITests",
            dependencies: [
                "WeftAPI", "WeftCLI", .nioCore, .nioPosix, .nioHTTP1, .arguments,
            ],
            exclude: ["Golden"],
            swiftSettings: settings
        ),
    ]
)

// The fuzzers of the gossip codecs and of what the proxy reads, which the usual build has no use for:
//   WEFT_FUZZ=1 swift build -c release --product weft-gossip-fuzz --scratch-path .build/fuzz
//   .build/fuzz/release/weft-gossip-fuzz Tests/Fuzz/Corpus
//   WEFT_FUZZ=1 swift build -c release --product weft-proxy-fuzz --scratch-path .build/fuzz
//   .build/fuzz/release/weft-proxy-fuzz Tests/Fuzz/ProxyCorpus
if Context.environment["WEFT_FUZZ"] != nil {
    let coverage: [SwiftSetting] = [.unsafeFlags(["-sanitize=fuzzer", "-parse-as-library", "-enable-testing"])]
    for target in package.targets where ["WeftCore", "WeftGossip", "WeftProxy"].contains(target.name) {
        target.swiftSettings = settings + coverage
    }
    func fuzzer(of name: String, _ product: String, dependencies: [Target.Dependency]) {
        package.products.append(.executable(name: product, targets: ["CWeft\(name)Fuzzer"]))
        package.targets += [
            .target(
                name: "Weft\(name)Fuzz",
                dependencies: dependencies,
                path: "Tests/Fuzz/Weft\(name)Fuzz",
                swiftSettings: settings + coverage
            ),
            .executableTarget(
                name: "CWeft\(name)Fuzzer",
                dependencies: [.target(name: "Weft\(name)Fuzz")],
                path: "Tests/Fuzz/CWeft\(name)Fuzzer",
                linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])]
            ),
        ]
    }
    fuzzer(of: "Gossip", "weft-gossip-fuzz", dependencies: ["WeftGossip"])
    fuzzer(of: "Proxy", "weft-proxy-fuzz", dependencies: ["WeftCore", "WeftProxy"])
}
