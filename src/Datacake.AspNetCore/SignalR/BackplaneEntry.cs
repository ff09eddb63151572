using System.Buffers;
using MessagePack;
using Microsoft.AspNetCore.SignalR;

namespace Datacake.AspNetCore.SignalR;

/// <summary>The kinds of entries that a node sends to its peers. The numbers are part of the wire format.</summary>
enum EntryKind
{
    /// <summary>A message for connections: scope, names, excluded connections, message.</summary>
    Deliver = 1,

    /// <summary>A connection that joins a group: request, connection, group.</summary>
    AddToGroup = 2,

    /// <summary>A connection that leaves a group: request, connection, group.</summary>
    RemoveFromGroup = 3,

    /// <summary>A message to whose sender a client returns a result: request, connection, id of the invocation, message.</summary>
    Invoke = 4,

    /// <summary>An invocation whose sender has given up: id of the invocation.</summary>
    CancelInvocation = 5,
}

/// <summary>The kinds of replies to entries. The numbers are part of the wire format.</summary>
enum ReplyKind
{
    /// <summary>A request that was carried out.</summary>
    Done = 1,

    /// <summary>A request for a connection that the peer does not have.</summary>
    NotHere = 2,

    /// <summary>A request for a connection that the peer has. The result follows.</summary>
    Found = 3,

    /// <summary>The result of a client: name of the protocol, completion message in this protocol.</summary>
    Result = 4,

    /// <summary>An invocation without a result: reason.</summary>
    Failed = 5,
}

/// <summary>
/// Reads and writes what nodes send to each other: arrays of MessagePack that begin with their kind, one after another. Readers skip kinds that they do not know and values at the end of an array, so
/// that later versions can add them.
/// </summary>
static class BackplaneEntry
{
    public static void WriteDeliver(ref MessagePackWriter writer, in MessageTarget target, IReadOnlyList<SerializedMessage> message)
    {
        writer.WriteArrayHeader(5);
        writer.Write((int)EntryKind.Deliver);
        writer.Write((int)target.Scope);
        WriteNames(ref writer, target.Names);
        WriteNames(ref writer, target.Excluded);
        WriteMessage(ref writer, message);
    }

    public static void WriteGroup(ref MessagePackWriter writer, EntryKind kind, long request, string connection, string group)
    {
        writer.WriteArrayHeader(4);
        writer.Write((int)kind);
        writer.Write(request);
        writer.Write(connection);
        writer.Write(group);
    }

    public static void WriteInvoke(ref MessagePackWriter writer, long request, string connection, string invocation, IReadOnlyList<SerializedMessage> message)
    {
        writer.WriteArrayHeader(5);
        writer.Write((int)EntryKind.Invoke);
        writer.Write(request);
        writer.Write(connection);
        writer.Write(invocation);
        WriteMessage(ref writer, message);
    }

    public static void WriteCancel(ref MessagePackWriter writer, string invocation)
    {
        writer.WriteArrayHeader(2);
        writer.Write((int)EntryKind.CancelInvocation);
        writer.Write(invocation);
    }

    public static byte[] Reply(ReplyKind kind, long request)
    {
        var buffer = new ArrayBufferWriter<byte>(16);
        var writer = new MessagePackWriter(buffer);
        writer.WriteArrayHeader(2);
        writer.Write((int)kind);
        writer.Write(request);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] ReplyWithResult(long request, string protocol, ReadOnlySpan<byte> completion)
    {
        var buffer = new ArrayBufferWriter<byte>(completion.Length + 64);
        var writer = new MessagePackWriter(buffer);
        writer.WriteArrayHeader(4);
        writer.Write((int)ReplyKind.Result);
        writer.Write(request);
        writer.Write(protocol);
        writer.Write(completion);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] ReplyWithFailure(long request, string reason)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(buffer);
        writer.WriteArrayHeader(3);
        writer.Write((int)ReplyKind.Failed);
        writer.Write(request);
        writer.Write(reason);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    public static string[] ReadNames(ref MessagePackReader reader)
    {
        int count = reader.ReadArrayHeader();
        if (count == 0)
            return [];
        string[] names = new string[count];
        for (int i = 0; i < count; i++)
            names[i] = ReadText(ref reader);
        return names;
    }

    public static string ReadText(ref MessagePackReader reader) =>
        reader.ReadString() ?? throw new MessagePackSerializationException("A text is missing.");

    /// <summary>Reads the forms of a message, whose bytes are a part of those that the reader reads.</summary>
    public static SerializedMessage[] ReadMessage(ref MessagePackReader reader)
    {
        int count = reader.ReadMapHeader();
        var message = new SerializedMessage[count];
        for (int i = 0; i < count; i++)
        {
            string protocol = ReadText(ref reader);
            var bytes = reader.ReadBytes() ?? throw new MessagePackSerializationException("The bytes of a message are missing.");
            message[i] = new SerializedMessage(protocol, bytes.First);
        }
        return message;
    }

    static void WriteNames(ref MessagePackWriter writer, IReadOnlyList<string> names)
    {
        writer.WriteArrayHeader(names.Count);
        for (int i = 0; i < names.Count; i++)
            writer.Write(names[i]);
    }

    static void WriteMessage(ref MessagePackWriter writer, IReadOnlyList<SerializedMessage> message)
    {
        writer.WriteMapHeader(message.Count);
        for (int i = 0; i < message.Count; i++)
        {
            writer.Write(message[i].ProtocolName);
            writer.Write(message[i].Serialized.Span);
        }
    }
}
