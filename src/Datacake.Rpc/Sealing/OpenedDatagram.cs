namespace Datacake.Rpc.Sealing;

/// <summary>Says how a received datagram is to be treated.</summary>
enum DatagramKind
{
    /// <summary>Nobody of the cluster has made it, or it has come before.</summary>
    Refused,

    /// <summary>Of the cluster, but made for an earlier life of this node, or before its sender knew of this one. It is to be told.</summary>
    Outdated,

    /// <summary>A message that comes for the first time.</summary>
    Message,

    /// <summary>The life of the sender, told as the answer to a datagram that was not made for it.</summary>
    Life,
}

/// <summary>A datagram that was opened.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Sender">The life of its sender, unless it was refused.</param>
/// <param name="Number">The number of an outdated datagram; of one that tells a life, the number of the datagram that it answers.</param>
/// <param name="Contents">What it says, if it is a message.</param>
readonly record struct OpenedDatagram(DatagramKind Kind, UInt128 Sender = default, ulong Number = 0, byte[]? Contents = null);
