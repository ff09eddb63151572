namespace Datacake.Rpc.Sealing;

/// <summary>The kinds of received datagrams.</summary>
enum DatagramKind
{
    /// <summary>A datagram that no node of the cluster has sealed, or that was received before.</summary>
    Refused,

    /// <summary>
    /// A datagram of the cluster that was sealed for an earlier life of this node, or before its sender knew the current life. The sender
    /// should be told that life.
    /// </summary>
    Outdated,

    /// <summary>A message that is received for the first time.</summary>
    Message,

    /// <summary>The life of the sender, in answer to a datagram that was not sealed for that life.</summary>
    Life,
}

/// <summary>The result of opening a datagram.</summary>
/// <param name="Kind">The kind of the datagram.</param>
/// <param name="Sender">The life of the sender, unless the datagram was refused.</param>
/// <param name="Number">The number of the datagram. For the answer that tells a life, the number of the datagram that it answers.</param>
/// <param name="Contents">The contents of a message, and null for other kinds.</param>
readonly record struct OpenedDatagram(DatagramKind Kind, UInt128 Sender = default, ulong Number = 0, byte[]? Contents = null);
