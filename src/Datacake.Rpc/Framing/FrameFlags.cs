namespace Datacake.Rpc.Framing;

/// <summary>The flags of a frame. Frames with unknown flags are refused.</summary>
[Flags]
enum FrameFlags : byte
{
    None = 0,

    /// <summary>
    /// A payload that continues in <see cref="FrameType.Chunk"/> frames with the same id. Other frames may arrive between them.
    /// </summary>
    More = 1,
}
