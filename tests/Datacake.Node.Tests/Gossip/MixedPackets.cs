using System.Globalization;

namespace Datacake.Node.Tests;

/// <summary>
/// An exchange with a node of the Rust library, written by hand from the description of the wire format: node 9 reports two runs of node 2 at one
/// address, the earlier of which has published a key.
/// </summary>
static class MixedPackets
{
    const string Node1 = "0100 31 0700000000000000 04 7f000001 591b";
    const string EarlierLifeOfNode2 = "0100 32 0100000000000000 04 7f000001 5a1b";
    const string LaterLifeOfNode2 = "0100 32 0200000000000000 04 7f000001 5a1b";
    const string Node9 = "0100 39 0300000000000000 04 7f000001 611b";
    const string Zero = "0000000000000000";
    const string One = "0100000000000000";

    public static readonly byte[] Syn = SynWithHeartbeat(4);

    /// <summary>The reply of node 1, which names only itself because everything else that it has heard is a rumor.</summary>
    public static readonly byte[] SynAck = Hex($"53b0 00 01  0100  {Node1} {Number(2)} {Zero} {Zero}  00");

    /// <summary>The complete state of node 2's earlier run, in a stored block.</summary>
    public static readonly byte[] Ack = Hex($"""
        53b0 00 02
        02 3300
        00 {EarlierLifeOfNode2} {Zero} {Zero}
        01 0100 6b 0100 76 {One} 00
        00
        """);

    public static readonly int LengthOfSynWithThree = SynThatNamesTheEarlierLife(0).Length;

    public static byte[] SynWithHeartbeat(byte heartbeat) => Hex($"""
        53b0 00 00  0300
        {EarlierLifeOfNode2} {Number(0x28)} {Zero} {One}
        {LaterLifeOfNode2} {Number(heartbeat)} {Zero} {Zero}
        {Node9} {Number(9)} {Zero} {Zero}
        0400 64656d6f
        """);

    /// <summary>Returns the entries that node 1 must send once the later run of node 2 is live.</summary>
    public static byte[] SynThatNamesTheEarlierLife(byte heartbeat) => Hex($"""
        53b0 00 00  0300
        {Node1} {Number(heartbeat)} {Zero} {Zero}
        {EarlierLifeOfNode2} {Number(0x28)} {Zero} {One}
        {LaterLifeOfNode2} {Number(6)} {Zero} {Zero}
        0400 64656d6f
        """);

    static string Number(byte number) => string.Create(CultureInfo.InvariantCulture, $"{number:x2}00000000000000");

    static byte[] Hex(string text) => Convert.FromHexString(string.Concat(text.Where(char.IsAsciiHexDigit)));
}
