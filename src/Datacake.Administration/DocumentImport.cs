using System.Buffers.Binary;
using System.Text.Json;
using Datacake.Administration.Contracts;
using Datacake.Administration.Json;
using Datacake.Data.CodeGeneration;
using Datacake.EventualConsistency;
using Datacake.Rpc;

namespace Datacake.Administration;

/// <summary>
/// Puts the documents of JSON Lines. Each message of the stream has whole lines and is one transaction. It is answered with the number of its
/// documents when they are stored, so that the caller knows where to resume. The next message is read while the one before it is committed.
/// </summary>
sealed class DocumentImport(ReplicatedStore store, RpcStream stream, AdministrationRequest asked)
{
    /// <summary>The maximum number of messages that are being committed.</summary>
    const int MaxPending = 4;

    readonly ValueWriter _value = new();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        string keyspace = asked.Keyspace ?? throw new ArgumentException("The import needs a keyspace.");
        var level = store.LevelFor(keyspace, Enum.TryParse<Consistency>(asked.Level, ignoreCase: true, out var parsed) ? parsed : Consistency.Quorum);
        var pending = new Queue<(Task Commit, int Count)>();
        long line = asked.LinesBefore ?? 0;
        while (await stream.ReadAsync(cancellationToken).ConfigureAwait(false) is { } message)
        {
            Transaction transaction;
            using (message)
                transaction = Read(keyspace, message.Memory, ref line);
            if (transaction.Count > 0)
                pending.Enqueue((store.CommitAsync(transaction, level, cancellationToken).AsTask(), transaction.Count));
            while (pending.Count >= MaxPending)
                await AcknowledgeAsync().ConfigureAwait(false);
        }
        while (pending.Count > 0)
            await AcknowledgeAsync().ConfigureAwait(false);
        await stream.CompleteAsync(cancellationToken).ConfigureAwait(false);

        async ValueTask AcknowledgeAsync()
        {
            var (commit, count) = pending.Dequeue();
            await commit.ConfigureAwait(false);
            byte[] answer = new byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(answer, count);
            await stream.WriteAsync(answer, cancellationToken).ConfigureAwait(false);
        }
    }

    Transaction Read(string keyspace, ReadOnlyMemory<byte> lines, ref long number)
    {
        var transaction = new Transaction();
        while (!lines.IsEmpty)
        {
            int end = lines.Span.IndexOf((byte)'\n');
            var line = end < 0 ? lines : lines[..end];
            lines = end < 0 ? default : lines[(end + 1)..];
            number++;
            if (line.Span.Trim(" \r\t"u8).IsEmpty)
                continue;
            try
            {
                using var json = JsonDocument.Parse(line);
                if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("line"u8, out var given) && given.TryGetInt64(out long original))
                    number = original;
                if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("key"u8, out var key)
                    || !json.RootElement.TryGetProperty("document"u8, out var document))
                {
                    throw new JsonValueException("A line is an object with the properties key and document.");
                }
                var (content, counters) = DocumentJson.Read(document, _value);
                if (json.RootElement.TryGetProperty("expires"u8, out var expires))
                    transaction.PutExpiring(keyspace, KeyJson.Read(key), content, expires.GetDateTimeOffset(), counters);
                else
                    transaction.Put(keyspace, KeyJson.Read(key), content, counters);
            }
            catch (Exception e) when (e is JsonException or FormatException or ArgumentException or InvalidOperationException)
            {
                throw new JsonValueException($"Line {number} cannot be imported: {e.Message}");
            }
        }
        return transaction;
    }
}
