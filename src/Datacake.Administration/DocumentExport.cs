using System.Text.Json;
using Datacake.Administration.Contracts;
using Datacake.Administration.Json;
using Datacake.EventualConsistency;
using Datacake.Rpc;
using Datacake.Storage;

namespace Datacake.Administration;

/// <summary>Sends all documents of a keyspace as JSON Lines, in one snapshot: whole lines, some in each message of the stream.</summary>
sealed class DocumentExport(ReplicatedStore store, RpcStream stream, AdministrationRequest asked)
{
    const int PageSize = 500;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        string keyspace = asked.Keyspace ?? throw new ArgumentException("The export needs a keyspace.");
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var range = asked.After is { } after ? KeyRange.All.After(KeyJson.Read(after).Encoded) : KeyRange.All;
        var lines = new LineSender(stream);
        using var json = new Utf8JsonWriter(lines.Line, JsonText.Options);
        while (await snapshot.ScanAsync(keyspace, range, ScanDirection.Forward, PageSize, cancellationToken).ConfigureAwait(false) is { Count: > 0 } page)
        {
            foreach (var (key, document) in page)
            {
                json.WriteStartObject();
                json.WritePropertyName("key"u8);
                KeyJson.Write(json, key.Encoded.Span);
                json.WritePropertyName("document"u8);
                DocumentJson.Write(json, document, asked.IsPlain);
                if (!document.Expires.IsNone)
                    json.WriteString("expires"u8, document.Expires.Time);
                json.WriteEndObject();
                json.Flush();
                json.Reset();
                await lines.EndLineAsync(cancellationToken).ConfigureAwait(false);
            }
            range = range.After(page[^1].Key.Encoded);
        }
        await lines.CompleteAsync(cancellationToken).ConfigureAwait(false);
    }
}
