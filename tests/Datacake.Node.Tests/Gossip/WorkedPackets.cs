namespace Datacake.Node.Tests;

/// <summary>Packets captured from nodes of the Rust library.</summary>
static class WorkedPackets
{
    public static readonly byte[] Syn = Hex("""
        53b0 00 00 0100
        0600 6e6f64652d32 0200000000000000 04 7f000001 0a52
        0200000000000000 0000000000000000 0100000000000000
        0400 64656d6f
        """);

    public static readonly byte[] SynAck = Hex("""
        53b0 0001 0200 0600 6e6f 6465 2d31 0100
        0000 0000 0000 047f 0000 0109 5202 0000
        0000 0000 0000 0000 0000 0000 0002 0000
        0000 0000 0006 006e 6f64 652d 3202 0000
        0000 0000 0004 7f00 0001 0a52 0200 0000
        0000 0000 0000 0000 0000 0000 0000 0000
        0000 0000 015b 0028 b52f fd20 6a95 0200
        e2c4 111b 90b7 1903 57d4 62bf 2046 2a6b
        f77e 270b 7f12 0adc adee a85b 9f26 53ff
        ff45 326a 3589 124a 68a9 5c59 e758 a01d
        56f0 c171 75d0 96e9 3bd1 4640 acbe 111c
        70f0 13c6 988b 3a43 e1e3 0310 00b2 d6f9
        e005 00
        """);

    public static readonly byte[] Ack = Hex("""
        53b0 00 02
        02 4400
        00 0600 6e6f64652d32 0200000000000000 04 7f000001 0a52
        0000000000000000 0000000000000000
        01 0700 73657276696365 0700 696e6465786572 0100000000000000 00
        00
        """);

    public static readonly byte[] EmptyAck = Hex("53b0 00 02 00");

    public static readonly byte[] BadCluster = Hex("53b0 00 03");

    /// <summary>The delta of a packet that was printed without its header, after the header of an Ack.</summary>
    public static readonly byte[] Delete = Hex("""
        53b0 00 02
        02 3b00
        00 0600 6e6f64652d31 0100000000000000 04 7f000001 f155
        0000000000000000 0100000000000000
        01 0500 636f6c6f72 0000 0200000000000000 01
        00
        """);

    public static readonly byte[] MaxVersion = Hex("""
        53b0 0001 0200 0600 6e6f 6465 2d31 0100
        0000 0000 0000 0600 0000 0000 0000 0000
        0000 0000 0000 01d9 5907 0000 0000 0000
        0002 0000 0000 0000 0002 0000 0000 0000
        0006 006e 6f64 652d 3202 0000 0000 0000
        0006 0000 0000 0000 0000 0000 0000 0000
        0001 da59 0200 0000 0000 0000 0000 0000
        0000 0000 0000 0000 0000 0000 012d 0028
        b52f fd20 3d25 0100 d800 0600 6e6f 6465
        2d31 0100 0600 01d9 5902 0002 0200 0000
        0000 0000 0310 00b2 9618 f302 00
        """);

    public static readonly byte[][] All = [Syn, SynAck, Ack, EmptyAck, BadCluster, Delete, MaxVersion];

    static byte[] Hex(string text) => Convert.FromHexString(string.Concat(text.Where(char.IsAsciiHexDigit)));
}
