internal import WeftCore

/// Changing the keys of the whole pool (section 9).
extension GossipNode {
    /// Whether a key query may be heeded. While a pool moves to encryption anybody could ask in clear text, and whoever
    /// does not speak encrypted yet would tell the keys to everybody. Without keys there is nothing to tell.
    func mayTouchKeys(_ turn: Turn<some RandomNumberGenerator>) -> Bool {
        packets.security.keyring.isEmpty || (packets.security.mode != .have && !turn.isClear)
    }

    mutating func refuseKeyQuery(_ open: OpenQuery, _ turn: inout Turn<some RandomNumberGenerator>) {
        counters.drops.add(.clearKeyQuery)
        let answer = KeyResponse(succeeded: false, message: Self.notEncryptedText)
        sendResponse(to: open, flags: 0, payload: answer.payload, &turn)
    }

    /// Applies a key operation to our ring and says how it went.
    mutating func answerKeyQuery(
        _ query: QueryMessage,
        _ open: OpenQuery,
        _ turn: inout Turn<some RandomNumberGenerator>,
        _ change: (inout Keyring, [UInt8]) throws(KeyringError) -> Void
    ) {
        let answer: KeyResponse
        do throws(KeyringError) {
            var ring = packets.security.keyring
            if ring.isEmpty {
                answer = KeyResponse(succeeded: false, message: Self.notEncryptedText)
            } else {
                try change(&ring, requestedKey(query))
                adopt(ring, &turn)
                answer = KeyResponse(succeeded: true)
            }
        } catch {
            answer = KeyResponse(succeeded: false, message: error.description)
        }
        sendResponse(to: open, flags: 0, payload: answer.payload, &turn)
    }

    /// What stock agents say (section 9).
    private static let notEncryptedText = "No keyring to modify (encryption not enabled)"

    /// The key of a query; one that cannot be read is empty, and refused for its size.
    private mutating func requestedKey(_ query: QueryMessage) -> [UInt8] {
        do throws(DecodeError) {
            return try KeyRequest(payload: query.payload ?? []).key
        } catch {
            counters.drops.add(.malformedPayload)
            return []
        }
    }

    private mutating func adopt(_ ring: Keyring, _ turn: inout Turn<some RandomNumberGenerator>) {
        guard ring != packets.security.keyring else { return }
        packets.security.keyring = ring
        configuration.keys = ring.keys.map { $0.bytes }
        turn.act(.keyringChanged(configuration.keys))
    }

    /// Tells our keys, as many as fit into a response.
    mutating func answerKeyList(_ open: OpenQuery, _ turn: inout Turn<some RandomNumberGenerator>) {
        let ring = packets.security.keyring
        guard let primary = ring.primary else {
            let answer = KeyResponse(succeeded: false, message: Self.notEncryptedText)
            sendResponse(to: open, flags: 0, payload: answer.payload, &turn)
            return
        }
        let keys = ring.keys.map { Base64.encode($0.bytes) }
        var answer = KeyResponse(succeeded: true, keys: keys, primaryKey: Base64.encode(primary.bytes))
        while !answer.keys.isEmpty, !fits(answer, open) {
            answer.keys.removeLast()
            answer.message = "truncated key list response, showing first \(answer.keys.count) of \(keys.count) keys"
        }
        sendResponse(to: open, flags: 0, payload: answer.payload, &turn)
    }

    private func fits(_ answer: KeyResponse, _ open: OpenQuery) -> Bool {
        response(to: open, flags: 0, payload: answer.payload).encoded().count
            <= configuration.limits.queryResponseBytes
    }
}

// MARK: - As the one who asks

extension GossipNode {
    /// The query of a key operation.
    func prepareKeyQuery(
        _ operation: KeyOperation,
        using rng: inout some RandomNumberGenerator
    ) throws(GossipError) -> QueryMessage {
        let (name, key): (InternalQuery, [UInt8]) =
            switch operation {
            case .list: (.listKeys, [])
            case .install(let key): (.installKey, key)
            case .use(let key): (.useKey, key)
            case .remove(let key): (.removeKey, key)
            }
        guard operation == .list || GossipKey.sizes.contains(key.count) else { throw .key(byteCount: key.count) }
        return try prepareQuery(
            QueryRequest(name: name.rawValue, payload: KeyRequest(key: key).payload),
            using: &rng
        )
    }

    /// One member's answer. When all have answered the operation is over.
    mutating func recordKeyAnswer(
        _ response: QueryResponseMessage,
        to key: QueryKey,
        _ turn: inout Turn<some RandomNumberGenerator>
    ) {
        guard !response.isAck else { return }
        let result = keyResult(response)
        serf.runningQueries[key]?.keyResults.append(result)
        guard let query = serf.runningQueries[key], query.keyResults.count >= query.expected else { return }
        finishQuery(key, &turn)
    }

    private mutating func keyResult(_ response: QueryResponseMessage) -> KeyResult {
        do throws(DecodeError) {
            let answer = try KeyResponse(payload: response.payload ?? [])
            return KeyResult(
                node: response.from,
                succeeded: answer.succeeded,
                message: answer.message,
                keys: answer.keys,
                primary: answer.primaryKey.isEmpty ? nil : answer.primaryKey
            )
        } catch {
            counters.drops.add(.malformedPayload)
            return KeyResult(
                node: response.from,
                succeeded: false,
                message: "the answer cannot be read",
                keys: [],
                primary: nil
            )
        }
    }
}
