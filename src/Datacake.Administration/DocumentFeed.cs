using System.Text.Json;
using Datacake.Administration.Contracts;
using Datacake.Administration.Json;
using Datacake.EventualConsistency;
using Datacake.Rpc;

namespace Datacake.Administration;

/// <summary>Sends the changes of a keyspace, each as a line of JSON, until the caller closes the stream.</summary>
sealed class DocumentFeed(ReplicatedStore store, RpcStream stream, AdministrationRequest asked)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        string keyspace = asked.Keyspace ?? throw new ArgumentException("The watch needs a keyspace.");
        await foreach (var changes in store.Keyspace(keyspace).WatchAsync(WatchPosition.Now, cancellationToken).ConfigureAwait(false))
        {
            foreach (var change in changes.Changes)
                await stream.WriteAsync(LineOf(change), cancellationToken).ConfigureAwait(false);
        }
    }

    ReadOnlyMemory<byte> LineOf(DocumentChange change)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, JsonText.Options))
        {
            json.WriteStartObject();
            json.WriteString("kind"u8, change.After is null ? "deleted" : change is { IsBeforeKnown: true, Before: null } ? "added" : "changed");
            json.WritePropertyName("key"u8);
            KeyJson.Write(json, change.Key.Encoded.Span);
            if (change.After is { } after)
            {
                json.WriteNumber("node"u8, after.Newest.Node);
                json.WritePropertyName("document"u8);
                DocumentJson.Write(json, after, asked.IsPlain);
            }
            json.WriteEndObject();
        }
        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }
}
