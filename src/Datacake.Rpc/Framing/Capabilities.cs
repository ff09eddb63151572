namespace Datacake.Rpc.Framing;

/// <summary>
/// The optional features of a side, beyond its version of the protocol. The numbers are part of the wire format. A connection uses the
/// features that both sides have. The first capability gets bit 0.
/// </summary>
[Flags]
enum Capabilities : ulong
{
    /// <summary>No capabilities. None are defined so far.</summary>
    None = 0,
}
