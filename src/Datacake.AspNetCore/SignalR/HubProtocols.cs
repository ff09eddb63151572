using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Datacake.AspNetCore.SignalR;

/// <summary>The protocols of the clients of a hub, such as JSON and MessagePack.</summary>
sealed class HubProtocols(IHubProtocolResolver resolver, IReadOnlyList<string> names)
{
    readonly IHubProtocol[] _protocols = [.. names.Distinct(StringComparer.OrdinalIgnoreCase).Select(name => resolver.GetProtocol(name, names)).OfType<IHubProtocol>()];

    /// <summary>Serializes a message once for each protocol.</summary>
    public SerializedMessage[] Serialize(HubMessage message)
    {
        var serialized = new SerializedMessage[_protocols.Length];
        for (int i = 0; i < serialized.Length; i++)
            serialized[i] = new SerializedMessage(_protocols[i].Name, _protocols[i].GetMessageBytes(message));
        return serialized;
    }

    /// <summary>Returns a protocol of this node; null if it has none of this name.</summary>
    public IHubProtocol? Find(string name) => Array.Find(_protocols, protocol => string.Equals(protocol.Name, name, StringComparison.Ordinal));

    /// <summary>Returns true if a message can be sent to every client of this node, whatever protocol it uses.</summary>
    public bool AreIn(IReadOnlyList<SerializedMessage> message)
    {
        foreach (var protocol in _protocols)
        {
            if (!IsIn(protocol.Name, message))
                return false;
        }
        return true;
    }

    public static bool IsIn(string protocol, IReadOnlyList<SerializedMessage> message)
    {
        for (int i = 0; i < message.Count; i++)
        {
            if (string.Equals(message[i].ProtocolName, protocol, StringComparison.Ordinal))
                return true;
        }
        return false;
    }
}
