using System.Collections.Immutable;
using Microsoft.AspNetCore.SignalR;

namespace Datacake.AspNetCore.SignalR;

/// <summary>A message on its way to connections of this node, or several that are written together.</summary>
/// <param name="Connections">The connections that the target names.</param>
/// <param name="Excluded">The ids of connections that do not get the message.</param>
/// <param name="Message">The message.</param>
/// <param name="Forms">The forms of the message; null if it is serialized when it is written.</param>
/// <param name="CancellationToken">Cancels the writes.</param>
readonly record struct Delivery(
    IReadOnlyCollection<LocalConnection> Connections, IReadOnlyList<string> Excluded, SerializedHubMessage Message, IReadOnlyList<SerializedMessage>? Forms, CancellationToken CancellationToken)
{
    /// <summary>The number of bytes from which further messages are not written together with others.</summary>
    public const int MaxJoined = 64 * 1024;

    /// <summary>True if the message may lack a protocol that connections use.</summary>
    public bool MayLackProtocol { get; init; }

    /// <summary>Gets the single messages, for connections that count them.</summary>
    public ImmutableArray<SerializedHubMessage> Parts { get; init; }

    /// <summary>Gets the length of the message in its first form.</summary>
    public int Length => Forms is [var first, ..] ? first.Serialized.Length : 0;

    /// <summary>Returns true if the next message can be written together with this one.</summary>
    public bool CanJoin(in Delivery next)
    {
        if (!ReferenceEquals(Connections, next.Connections) || Excluded.Count > 0 || next.Excluded.Count > 0 || MayLackProtocol || next.MayLackProtocol
            || CancellationToken.CanBeCanceled || next.CancellationToken.CanBeCanceled || Forms is null || next.Forms is null || Forms.Count != next.Forms.Count)
            return false;
        for (int i = 0; i < Forms.Count; i++)
        {
            if (Forms[i].ProtocolName != next.Forms[i].ProtocolName)
                return false;
        }
        return true;
    }

    /// <summary>Returns messages that can be joined as one. All protocols of SignalR mark where a message ends.</summary>
    public static Delivery Join(IReadOnlyList<Delivery> deliveries)
    {
        var forms = new SerializedMessage[deliveries[0].Forms!.Count];
        for (int i = 0; i < forms.Length; i++)
        {
            byte[] bytes = new byte[deliveries.Sum(delivery => delivery.Forms![i].Serialized.Length)];
            int length = 0;
            foreach (var delivery in deliveries)
            {
                delivery.Forms![i].Serialized.CopyTo(bytes.AsMemory(length));
                length += delivery.Forms[i].Serialized.Length;
            }
            forms[i] = new SerializedMessage(deliveries[0].Forms![i].ProtocolName, bytes);
        }
        return deliveries[0] with { Message = new SerializedHubMessage(forms), Forms = forms, Parts = [.. deliveries.Select(static delivery => delivery.Message)] };
    }
}
