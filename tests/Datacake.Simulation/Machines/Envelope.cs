using Datacake.Simulation.Histories;

namespace Datacake.Simulation.Machines;

/// <summary>A message in flight or, if there is no message, the end of a stream.</summary>
/// <param name="Source">The sending machine.</param>
/// <param name="Target">The receiving machine.</param>
/// <param name="TargetStore">The store that the receiving machine had when the stream was opened.</param>
/// <param name="Stream">The stream that the message belongs to.</param>
/// <param name="Encoded">The bytes of the message; <see langword="null"/> for the end of the stream.</param>
/// <param name="Held">The transactions of the sender, or of the snapshot that the message was made from.</param>
/// <param name="Answer">The number of the answer to a pull that the message is a part of, or 0. The parts of an answer stay in order.</param>
/// <param name="IsOpening">True for the dialer's hello.</param>
/// <param name="Kind">The kind of the message, for logs.</param>
sealed record Envelope(Machine Source, Machine Target, ulong TargetStore, long Stream, byte[]? Encoded,
    Holdings Held, ulong Answer, bool IsOpening, string Kind)
{
    public bool IsBetween(Machine a, Machine b) => (Source == a && Target == b) || (Source == b && Target == a);
}
