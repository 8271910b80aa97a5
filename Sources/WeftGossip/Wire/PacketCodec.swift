/// Datagrams to messages and back: `label( encrypt( checksum( compress( compound( messages )))))`, each layer where it
/// applies (specification 1.2).
///
/// Reading never fails as a whole: it gives the messages that are good, and a reason for each thing that is not.
package struct PacketCodec: Sendable {
    package var security: WireSecurity
    /// Whether datagrams are compressed when that makes them smaller. Compressed ones are read in any case.
    package var compresses: Bool

    package init(security: WireSecurity = WireSecurity(), compresses: Bool = true) {
        self.security = security
        self.compresses = compresses
    }

    /// Appends the messages of a datagram in their order, and the reasons of what was left out. The work is bounded by
    /// `WireLimits`, whatever the bytes are. True when one of the keys opened it.
    @discardableResult
    package func decode(
        _ datagram: [UInt8],
        into messages: inout [MemberlistMessage],
        drops: inout [WireError]
    ) -> Bool {
        var isSealed = false
        var unpacking = Unpacking(messages: messages, drops: drops)
        // Moved and back, not copied: the caller's arrays are reused from datagram to datagram.
        (messages, drops) = ([], [])
        do throws(WireError) {
            let opened = try open(datagram)
            isSealed = opened.isSealed
            do throws(WireError) {
                try unpacking.unpack(opened.bytes, depth: 0)
            } catch {
                // What is neither sealed by our keys nor a message is most likely sealed by another key.
                throw opened.refusal ?? error
            }
        } catch {
            unpacking.drops.append(error)
        }
        (messages, drops) = (unpacking.messages, unpacking.drops)
        return isSealed
    }

    /// The datagrams that carry the given messages (each complete with its type byte): one, unless there are more than
    /// `WireLimits.compoundParts`. `checksum` only for a destination whose versions understand it. That everything fits
    /// the size budget is the caller's to see to.
    package func encode(
        _ messages: [[UInt8]],
        checksum: Bool,
        using rng: inout some RandomNumberGenerator
    ) -> [[UInt8]] {
        Compound.pack(messages).map { packed in
            var bytes = packed
            if compresses {
                let compressed = Compression.wrap(bytes)
                if compressed.count < bytes.count { bytes = compressed }
            }
            if checksum { bytes = Checksum.wrap(bytes) }
            if let key = security.sendingKey {
                let nonce = Encryption.nonce(using: &rng)
                bytes = Encryption.seal(bytes, key: key, nonce: nonce, context: security.label)
            }
            return security.label.isEmpty ? bytes : Label.header(security.label) + bytes
        }
    }

    /// A datagram without the layers that are there once.
    private struct Opened {
        let bytes: ArraySlice<UInt8>
        var isSealed = false
        /// Why no key opened it, if it looks as if one should have.
        var refusal: WireError?
    }

    /// Takes off label, encryption and checksum.
    private func open(_ datagram: [UInt8]) throws(WireError) -> Opened {
        guard !datagram.isEmpty else { throw .empty }
        guard datagram.count <= WireLimits.datagramSize else { throw .tooLarge }
        let inner = try Label.unwrap(datagram[...], expecting: security.label)
        guard !security.keyring.isEmpty else { return Opened(bytes: try Checksum.unwrap(inner)) }
        let plain: [UInt8]
        do throws(WireError) {
            plain = try Encryption.open(inner, keys: security.keyring, context: security.label)
        } catch {
            // While a pool moves to encryption, what no key opens may be plain (a ping looks like encryption version
            // 0).
            guard security.hearsClearText else { throw error }
            let refusal = error == .undecryptable ? error : nil
            return Opened(bytes: try Checksum.unwrap(inner), refusal: refusal)
        }
        return Opened(bytes: try Checksum.unwrap(plain[...]), isSealed: true)
    }
}

/// The layers of one datagram that may be nested at will, being taken off.
private struct Unpacking {
    var messages: [MemberlistMessage]
    var drops: [WireError]
    /// How many more messages (good or not), and how many more decompressed bytes, this datagram may bring.
    private var messagesLeft = WireLimits.messagesPerDatagram
    private var decompressedLeft = WireLimits.datagramDecompressedTotal

    init(messages: [MemberlistMessage], drops: [WireError]) { (self.messages, self.drops) = (messages, drops) }

    /// Appends the messages in `bytes`, which begin with a type byte. Throws for what spoils this part as a whole.
    mutating func unpack(_ bytes: ArraySlice<UInt8>, depth: Int) throws(WireError) {
        guard let type = bytes.first else { throw .empty }
        guard messagesLeft > 0 else { throw .tooManyMessages }
        messagesLeft -= 1
        let body = bytes.dropFirst()
        switch type {
        case MemberlistType.compound.rawValue: try unpackCompound(body, depth: depth)
        case MemberlistType.compress.rawValue: try unpackCompressed(body, depth: depth)
        default:
            do throws(DecodeError) {
                messages.append(try MemberlistMessage(type: type, body: body))
            } catch {
                throw WireError(error, type: type)
            }
        }
    }

    /// A bad part costs only itself, unless the datagram's budget is used up.
    private mutating func unpackCompound(_ body: ArraySlice<UInt8>, depth: Int) throws(WireError) {
        guard depth < WireLimits.wrapperDepth else { throw .nestedTooDeep }
        let (parts, isTruncated) = try Compound.parts(of: body)
        for part in parts {
            do throws(WireError) {
                try unpack(part, depth: depth + 1)
            } catch {
                guard error != .tooManyMessages else { throw error }
                drops.append(error)
            }
        }
        if isTruncated { throw .truncatedCompound }
    }

    private mutating func unpackCompressed(_ body: ArraySlice<UInt8>, depth: Int) throws(WireError) {
        guard depth < WireLimits.wrapperDepth else { throw .nestedTooDeep }
        let limit = min(decompressedLeft, WireLimits.datagramDecompressedSize)
        let plain: [UInt8]
        do throws(WireError) {
            plain = try Compression.unwrap(body, atMost: limit)
        } catch {
            // What was unpacked in vain was work too, up to the limit.
            decompressedLeft -= limit
            throw error
        }
        decompressedLeft -= plain.count
        try unpack(plain[...], depth: depth + 1)
    }
}
