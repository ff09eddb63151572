using System.Runtime.CompilerServices;
using Datacake.Administration;
using Datacake.Administration.Json;
using Datacake.EventualConsistency;
using Datacake.Tool.Connections;

namespace Datacake.Tool.Comparing;

/// <summary>
/// Compares the documents of two nodes. Keyspaces with the same fingerprint are equal. For others, the hashes of all documents are read from both nodes, in the order of their keys, and merged.
/// Documents that differ are compared again after a pause: what is on its way differs only once.
/// </summary>
sealed class NodeComparison(NodeConnection node, NodeConnection other, TimeSpan pause)
{
    /// <summary>The maximum number of documents that are named, for each keyspace.</summary>
    public const int MaxNamed = 100;

    /// <summary>The maximum number of differing documents that are remembered between both passes, for each keyspace.</summary>
    const int MaxRemembered = 100_000;

    /// <summary>Returns the keyspaces that differ.</summary>
    public async Task<IReadOnlyList<KeyspaceComparison>> CompareAsync(CancellationToken cancellationToken)
    {
        string[] keyspaces = await ListDifferingAsync(cancellationToken).ConfigureAwait(false);
        if (keyspaces.Length == 0)
            return [];
        var first = new Dictionary<string, Dictionary<string, (string?, string?)>>();
        foreach (string keyspace in keyspaces)
        {
            first[keyspace] = await MergeAsync(keyspace, cancellationToken).Take(MaxRemembered)
                .ToDictionaryAsync(static row => row.Key, static row => (row.Hash, row.OtherHash), cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
        var results = new List<KeyspaceComparison>();
        foreach (string keyspace in keyspaces.Where(keyspace => first[keyspace].Count > 0))
        {
            long count = 0;
            var named = new List<DocumentDifference>();
            await foreach (var (key, hash, otherHash) in MergeAsync(keyspace, cancellationToken).ConfigureAwait(false))
            {
                if (!first[keyspace].TryGetValue(key, out var before) || before != (hash, otherHash))
                    continue;
                if (++count <= MaxNamed)
                    named.Add(new DocumentDifference(KeyJson.Of(new DocumentKey(Convert.FromHexString(key))), otherHash is null ? "Missing" : hash is null ? "Additional" : "Different"));
            }
            if (count > 0)
                results.Add(new KeyspaceComparison(keyspace, node.Address, other.Address, count, named));
        }
        return results;
    }

    async Task<string[]> ListDifferingAsync(CancellationToken cancellationToken)
    {
        var mine = await FingerprintsOfAsync(node.Client).ConfigureAwait(false);
        var theirs = await FingerprintsOfAsync(other.Client).ConfigureAwait(false);
        return [.. mine.Keys.Union(theirs.Keys).Where(name => mine.GetValueOrDefault(name) != theirs.GetValueOrDefault(name)).Order(StringComparer.Ordinal)];

        // A keyspace without documents may be unknown to the other node.
        async Task<Dictionary<string, string>> FingerprintsOfAsync(AdministrationClient client) =>
            (await client.ListKeyspacesAsync(cancellationToken).ConfigureAwait(false)).Where(static keyspace => keyspace.Documents > 0)
                .ToDictionary(static keyspace => keyspace.Name, static keyspace => keyspace.Fingerprint);
    }

    /// <summary>Returns the documents that differ, in the order of their keys, with both hashes.</summary>
    async IAsyncEnumerable<(string Key, string? Hash, string? OtherHash)> MergeAsync(
        string keyspace, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var left = node.Client.ReadFingerprintsAsync(keyspace, cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using var leftDisposal = left.ConfigureAwait(false);
        var right = other.Client.ReadFingerprintsAsync(keyspace, cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using var rightDisposal = right.ConfigureAwait(false);
        bool hasLeft = await left.MoveNextAsync().ConfigureAwait(false), hasRight = await right.MoveNextAsync().ConfigureAwait(false);
        while (hasLeft || hasRight)
        {
            int order = !hasLeft ? 1 : !hasRight ? -1 : string.CompareOrdinal(left.Current.Key, right.Current.Key);
            if (order != 0 || left.Current.Hash != right.Current.Hash)
                yield return (order <= 0 ? left.Current.Key : right.Current.Key, order <= 0 ? left.Current.Hash : null, order >= 0 ? right.Current.Hash : null);
            if (order <= 0)
                hasLeft = await left.MoveNextAsync().ConfigureAwait(false);
            if (order >= 0)
                hasRight = await right.MoveNextAsync().ConfigureAwait(false);
        }
    }
}
