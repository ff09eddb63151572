namespace Datacake.Rpc.Handshake;

/// <summary>
/// What a side can do beyond its version of the protocol; the numbers are the wire format. A connection uses what both sides can. The
/// first capability gets bit 0.
/// </summary>
[Flags]
enum Capabilities : ulong
{
    /// <summary>Nothing so far.</summary>
    None = 0,
}
