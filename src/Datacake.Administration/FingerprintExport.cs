using System.Globalization;
using System.Text;
using Datacake.Administration.Contracts;
using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Layout;
using Datacake.Rpc;
using Datacake.Storage;

namespace Datacake.Administration;

/// <summary>
/// Sends the key and a hash of what readers see of every document of a keyspace, in the order of the keys, so that the documents of two nodes can be compared without
/// sending them: a line for each, with the encoded key and the hash, both hexadecimal.
/// </summary>
sealed class FingerprintExport(ReplicatedStore store, RpcStream stream, AdministrationRequest asked)
{
    const int PageSize = 500;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        string keyspace = asked.Keyspace ?? throw new ArgumentException("The comparison needs a keyspace.");
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var range = KeyRange.All;
        var lines = new LineSender(stream);
        while (await snapshot.ScanAsync(keyspace, range, ScanDirection.Forward, PageSize, cancellationToken).ConfigureAwait(false) is { Count: > 0 } page)
        {
            foreach (var (key, document) in page)
            {
                // The scan returns live documents only, whatever the policy of the keyspace is.
                ulong hash = (ulong)Fingerprint.Of(key.Encoded.Span, document, MergePolicy.LastWriterWins);
                string line = string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexString(key.Encoded.Span)} {hash:x16}");
                Encoding.ASCII.GetBytes(line, lines.Line);
                await lines.EndLineAsync(cancellationToken).ConfigureAwait(false);
            }
            range = range.After(page[^1].Key.Encoded);
        }
        await lines.CompleteAsync(cancellationToken).ConfigureAwait(false);
    }
}
