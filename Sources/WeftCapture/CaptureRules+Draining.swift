extension CaptureRules {
    /// What stays while nothing new is captured but connections that were captured live on: the table that keeps their
    /// translation alive, the chain that leads answers back to weft, and what `fail = "closed"` promised.
    ///
    /// - Parameter keepingClosed: false leaves that last table out: the user has turned weft off, which is no absence.
    package static func drainingRuleset(
        for spec: CaptureSpec,
        keepingClosed: Bool
    ) throws(CaptureRefused) -> Ruleset {
        let abilities = try CaptureAbilities(spec)
        let builder = RulesetBuilder(abilities: abilities)
        var tables: [Table] = []
        if abilities.keepsConnections { tables.append(builder.keepTable) }
        if keepingClosed, abilities.closesUsers { tables.append(builder.closedTable) }
        if abilities.leadsAnswersBack {
            tables.append(
                Table(
                    name: Table.Name.capture,
                    flags: spec.features.has(.owner) ? .owner : [],
                    sets: [],
                    chains: [builder.sourceRouteChain]
                )
            )
        }
        return Ruleset(tables: tables)
    }
}
