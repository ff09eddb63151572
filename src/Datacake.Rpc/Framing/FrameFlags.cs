namespace Datacake.Rpc.Framing;

/// <summary>How to read a frame. Unknown flags are refused.</summary>
[Flags]
enum FrameFlags : byte
{
    None = 0,

    /// <summary>The payload goes on in <see cref="FrameType.Chunk"/> frames of the same id, between which other frames may come.</summary>
    More = 1,
}
