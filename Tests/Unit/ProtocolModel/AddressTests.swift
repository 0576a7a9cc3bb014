import Glibc
import ProtocolModel
import Testing
import TestsSupportRandomness

@Suite("addresses")
struct AddressTests {
    @Test(
        "texts that are addresses, and how they are written",
        arguments: [
            ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("192.0.2.1", "192.0.2.1"), ("::", "::"),
            ("::1", "::1"), ("1::", "1::"), ("2001:DB8::1", "2001:db8::1"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"), ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("fe80::1", "fe80::1"),
            ("::ffff:192.0.2.1", "::ffff:c000:201"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
            ("0:0:1::", "0:0:1::"),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("0:0:0:1:2:0:0:0", "::1:2:0:0:0"),
            ("1:2:3:4:5:6:255.255.255.255", "1:2:3:4:5:6:ffff:ffff")
        ])
    func valid(text: String, canonical: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
        #expect(IPAddress(octets: address.octets) == address)
        #expect(address.octets.count == address.family.bitCount / 8)
    }

    static let invalid = [
        "", " ", ".", ":", ":::", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "256.0.0.1", "01.2.3.4",
        "1.2.3.04", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\n", "0x1.2.3.4", "1.2.3.-4", "+1.2.3.4", "1.2.3.4/24", "1e1.2.3.4",
        "1.2.3.99999999999999999999", "١.2.3.4", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:", "12345::", "g::", "::1%eth0", "[::1]", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1.2.3.4::",
        "::1.2.3", "::1.2.3.256", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "+1::", "-1::", "::+1", ":: 1", "1:::2",
        "fe80:::1", "٠::", "0000:0000:0000:0000:0000:0000:0000:00001", "::\u{0}"
    ]

    @Test("texts that are none", arguments: invalid)
    func hostile(text: String) { #expect(IPAddress(text) == nil) }

    @Test(
        "random text is judged as the C library judges it, but for its leniency with leading zeros",
        arguments: 0..<20 as Range<UInt64>)
    func againstLibrary(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("0123456789abcdefF:::...".utf8)
        for _ in 0..<2000 {
            let text = String(
                decoding: (0..<Int.random(in: 2...24, using: &generator)).map { _ in
                    alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
                }, as: UTF8.self)
            var four = in_addr()
            var six = in6_addr()
            let isFour = inet_pton(AF_INET, text, &four) == 1
            let isSix = inet_pton(AF_INET6, text, &six) == 1
            let address = IPAddress(text)
            #expect((address != nil) == (isFour || isSix), "\(text)")
            if isSix, let address {
                #expect(address.octets == withUnsafeBytes(of: &six) { Array($0) }, "\(text)")
            }
        }
    }

    @Test("IPv6 text is what the C library writes", arguments: 0..<10 as Range<UInt64>)
    func writtenLikeLibrary(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            var bits: UInt128 = 0
            // The top group is never zero: the library writes some of those with a dotted quad at the end.
            for index in 0..<8 {
                let isZero = index > 0 && Bool.random(using: &generator)
                bits = bits << 16 | (isZero ? 0 : UInt128(UInt16.random(in: 1 ... .max, using: &generator)))
            }
            let address = IPAddress(family: .ipv6, bits: bits)
            var octets = address.octets
            var text = [CChar](repeating: 0, count: 64)
            inet_ntop(AF_INET6, &octets, &text, 64)
            #expect(
                address.description
                    == String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
            #expect(IPAddress(address.description) == address)
        }
    }

    @Test("counting stops at the family's ends")
    func counting() throws {
        let first = try #require(IPAddress("0.0.0.0"))
        let last = try #require(IPAddress("255.255.255.255"))
        #expect(first.advanced(by: 0xFFFF_FFFF) == last)
        #expect(first.advanced(by: 0x1_0000_0000) == nil)
        #expect(first.advanced(by: -1) == nil)
        #expect(last.advanced(by: 1) == nil)
        #expect(last.advanced(by: .min) == nil)
        #expect(last.advanced(by: .max) == nil)
        let top = try #require(IPAddress("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"))
        #expect(top.advanced(by: 1) == nil)
        #expect(top.advanced(by: .min)?.description == "ffff:ffff:ffff:ffff:7fff:ffff:ffff:ffff")
        #expect(IPAddress(family: .ipv6, bits: 0).advanced(by: .max) != nil)
    }

    @Test("kinds of address")
    func kinds() {
        func check(_ text: String, _ property: KeyPath<IPAddress, Bool>, _ expected: Bool) {
            #expect(IPAddress(text)?[keyPath: property] == expected, "\(text)")
        }
        check("169.254.169.254", \.isLinkLocal, true)
        check("169.253.0.1", \.isLinkLocal, false)
        check("fe80::1", \.isLinkLocal, true)
        check("febf::1", \.isLinkLocal, true)
        check("fec0::1", \.isLinkLocal, false)
        check("224.0.0.1", \.isMulticast, true)
        check("240.0.0.1", \.isMulticast, false)
        check("ff02::1", \.isMulticast, true)
        check("127.255.0.1", \.isLoopback, true)
        check("::1", \.isLoopback, true)
        check("0.0.0.1", \.isLoopback, false)
        check("::", \.isUnspecified, true)
    }

    @Test("octets of another number make no address", arguments: [0, 1, 3, 5, 15, 17])
    func octetCounts(count: Int) { #expect(IPAddress(octets: [UInt8](repeating: 1, count: count)) == nil) }
}

@Suite("prefixes")
struct PrefixTests {
    @Test(
        "texts that are prefixes; host bits are cleared",
        arguments: [
            ("192.0.2.77/24", "192.0.2.0/24"), ("0.0.0.0/0", "0.0.0.0/0"), ("1.2.3.4/0", "0.0.0.0/0"),
            ("1.2.3.4/32", "1.2.3.4/32"), ("1.2.3.4", "1.2.3.4/32"), ("2001:db8::1", "2001:db8::1/128"),
            ("2001:db8::ffff/64", "2001:db8::/64"), ("::/0", "::/0"), ("ffff::/1", "8000::/1"),
            ("10.0.0.255/31", "10.0.0.254/31")
        ])
    func valid(text: String, canonical: String) { #expect(IPPrefix(text)?.description == canonical) }

    @Test(
        "texts that are none",
        arguments: [
            "", "/", "/24", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/+1", "1.2.3.4/ 8", "1.2.3.4/8/8", "::/129",
            "1.2.3.4/255.255.255.0", "1.2.3/8", "::/1000", "1.2.3.4/٨", "x/8"
        ])
    func hostile(text: String) { #expect(IPPrefix(text) == nil) }

    @Test("extent, membership and overlap")
    func extent() throws {
        let prefix = try #require(IPPrefix("192.0.2.64/26"))
        #expect(prefix.first.description == "192.0.2.64")
        #expect(prefix.last.description == "192.0.2.127")
        #expect(prefix.netmask.description == "255.255.255.192")
        #expect(prefix.address(at: 63) == prefix.last)
        #expect(prefix.address(at: 64) == nil)
        #expect(try prefix.contains(#require(IPAddress("192.0.2.100"))))
        #expect(try !prefix.contains(#require(IPAddress("192.0.2.128"))))
        #expect(try !prefix.contains(#require(IPAddress("::c000:240"))))
        #expect(try prefix.overlaps(#require(IPPrefix("192.0.0.0/16"))))
        #expect(try #require(IPPrefix("0.0.0.0/0")).overlaps(prefix))
        #expect(try !prefix.overlaps(#require(IPPrefix("192.0.2.0/26"))))
        #expect(try !prefix.overlaps(#require(IPPrefix("::/0"))))
    }

    @Test("the whole of IPv6 can be asked for any address")
    func wholeFamily() throws {
        let all = try #require(IPPrefix("::/0"))
        #expect(all.address(at: .max) == all.last)
        #expect(all.last.bits == .max)
        let half = try #require(IPPrefix("8000::/1"))
        #expect(half.address(at: UInt128.max >> 1) == half.last)
        #expect(half.address(at: UInt128.max >> 1 + 1) == nil)
        #expect(try #require(IPPrefix("0.0.0.0/0")).last.description == "255.255.255.255")
        #expect(try #require(IPPrefix("::1/128")).address(at: 1) == nil)
    }

    @Test("a length out of range makes no prefix", arguments: [-1, 33, Int.min, Int.max])
    func lengths(length: Int) { #expect(IPPrefix(IPAddress(family: .ipv4, bits: 1), length: length) == nil) }

    @Test("sorted by address, then by length, IPv4 first")
    func order() {
        let texts = ["::/0", "10.0.0.0/9", "10.0.0.0/8", "9.0.0.0/8", "fe80::/10"]
        #expect(
            texts.compactMap { IPPrefix($0) }.sorted().map(\.description)
                == ["9.0.0.0/8", "10.0.0.0/8", "10.0.0.0/9", "::/0", "fe80::/10"])
    }
}

@Suite("MAC addresses")
struct MACAddressTests {
    @Test(
        "texts that are addresses",
        arguments: [
            ("fa:16:3e:01:02:03", "fa:16:3e:01:02:03"), ("FA-16-3E-01-02-03", "fa:16:3e:01:02:03"),
            ("00:00:00:00:00:00", "00:00:00:00:00:00"), ("ff:ff:ff:ff:ff:ff", "ff:ff:ff:ff:ff:ff")
        ])
    func valid(text: String, canonical: String) {
        #expect(MACAddress(text)?.description == canonical)
        #expect(MACAddress(canonical)?.octets.count == 6)
    }

    @Test(
        "texts that are none",
        arguments: [
            "", ":", "fa:16:3e:01:02", "fa:16:3e:01:02:03:04", "fa:16:3e:1:02:03", "fa:16:3e:001:2:03", "fa163e010203",
            "fa16.3e01.0203", "fa:16:3e:01:02:0g", "fa:16:3e:01:02:+3", "fa:16:3e:01:02:-3", "+a:16:3e:01:02:03",
            " fa:16:3e:01:02:03", "fa:16:3e:01:02:03\n", "fa::16:3e:01:02:03", "fa:16:3e:01:02:٠٣", "fa:16:3e:01:02: 3"
        ])
    func hostile(text: String) { #expect(MACAddress(text) == nil) }

    @Test("random addresses are OpenStack's, unicast and repeat with their generator")
    func random() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<100 {
            let mac = MACAddress.random(using: &generator)
            #expect(mac.bits >> 24 == 0xFA163E)
            #expect(!mac.isMulticast)
            #expect(MACAddress(mac.description) == mac)
        }
        #expect(MACAddress("01:00:5e:00:00:01")?.isMulticast == true)
    }

    @Test("the interface identifier is that of RFC 4291 appendix A")
    func modifiedEUI64() {
        #expect(MACAddress("34:56:78:9a:bc:de")?.modifiedEUI64 == 0x3656_78FF_FE9A_BCDE)
        #expect(MACAddress("fa:16:3e:00:00:01")?.modifiedEUI64 == 0xF816_3EFF_FE00_0001)
    }
}
