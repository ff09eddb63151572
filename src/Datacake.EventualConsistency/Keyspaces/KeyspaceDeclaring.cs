using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Keyspaces;

/// <summary>
/// Brings the indexes of a keyspace to what its declaration says: those that are kept already go on, others are built from the documents.
/// </summary>
sealed class KeyspaceDeclaring(Replica replica, CommitLoop loop)
{
    public async ValueTask DeclareAsync(KeyspaceDeclaration declaration, CancellationToken cancellationToken)
    {
        await loop.RunAsync((batch, _) => SetPolicyAsync(batch, declaration), cancellationToken).ConfigureAwait(false);
        foreach (var index in declaration.Indexes)
        {
            // Cut into steps, so that the writer serves others in between.
            while (!await loop.RunAsync((batch, token) => StepAsync(batch, declaration.Name, index, token), cancellationToken).ConfigureAwait(false))
            {
            }
        }
    }

    async ValueTask<bool> SetPolicyAsync(ReplicaBatch batch, KeyspaceDeclaration declaration)
    {
        var keyspace = replica.Catalog.FindOrAdd(declaration.Name, declaration.Policy);
        if (keyspace.Policy == declaration.Policy)
            return true;
        // A peer's or an earlier declaration's policy is replaced; what is alive is counted again under the new one.
        var record = keyspace.Record with { Policy = declaration.Policy, Count = 0, Fingerprint = 0 };
        await foreach (var (key, value) in batch.Snapshot.ReadAllAsync(StoreLayout.Documents(keyspace.Number)).ConfigureAwait(false))
        {
            var document = ReplicaBatch.ParseStored(key, value);
            record = record with
            {
                Count = record.Count + (document.IsAlive(declaration.Policy) ? 1 : 0),
                Fingerprint = record.Fingerprint + Fingerprint.Of(key.Span[StoreLayout.DocumentPrefixLength..], document, declaration.Policy),
            };
        }
        if (batch.DocumentCount > 0)
            throw new InvalidOperationException($"The policy of the keyspace '{declaration.Name}' can't be changed together with its documents; declare it again.");
        keyspace.Record = record;
        keyspace.IsDirty = true;
        return true;
    }

    /// <summary>Whether the index is as declared after this step.</summary>
    async ValueTask<bool> StepAsync(ReplicaBatch batch, string keyspaceName, DocumentIndex definition, CancellationToken cancellationToken)
    {
        var keyspace = replica.Catalog.Find(keyspaceName)!;
        var current = keyspace.Indexes.FirstOrDefault(index => index.Definition.Name == definition.Name);
        if (current is not null && current.Definition.Signature == definition.Signature)
            return true;
        var (number, record) = keyspace.Undeclared.FirstOrDefault(index => index.Value.Name == definition.Name);
        if (record is not null && record.Signature == definition.Signature)
        {
            keyspace.Undeclared.Remove(number);
            keyspace.Indexes = keyspace.Indexes.Add(new IndexEntrySet(number, definition));
            return true;
        }
        if (batch.DocumentCount > 0)
            return false;                                   // once more in a batch without documents, which the build would not see

        if (current is not null)
            number = current.Number;
        else if (record is null)
            number = replica.Catalog.NextIndexNumber();
        await BuildAsync(batch, keyspace, new IndexEntrySet(number, definition), cancellationToken).ConfigureAwait(false);
        keyspace.Undeclared.Remove(number);
        keyspace.Indexes = keyspace.Indexes.RemoveAll(index => index.Number == number).Add(new IndexEntrySet(number, definition));
        return true;
    }

    static async ValueTask BuildAsync(ReplicaBatch batch, KeyspaceEntry keyspace, IndexEntrySet index, CancellationToken cancellationToken)
    {
        var wanted = new Dictionary<StorageKey, byte>();
        await foreach (var (key, value) in batch.Snapshot.ReadAllAsync(StoreLayout.Documents(keyspace.Number), cancellationToken).ConfigureAwait(false))
        {
            var document = ReplicaBatch.ParseStored(key, value);
            if (!document.IsAlive(keyspace.Policy))
                continue;
            var documentKey = key[StoreLayout.DocumentPrefixLength..];
            foreach (byte[] indexed in ReplicaBatch.ValuesOf(index, document))
                wanted.Add(new StorageKey(StoreLayout.IndexEntryKey(index.Number, indexed, documentKey.Span)), (byte)documentKey.Length);
        }
        await foreach (var (key, _) in batch.Snapshot.ReadAllAsync(StoreLayout.IndexEntries(index.Number), cancellationToken).ConfigureAwait(false))
        {
            if (!wanted.Remove(new StorageKey(key)))
                batch.Extra.Delete(key.ToArray());
        }
        foreach (var (key, length) in wanted)
            batch.Extra.Put(key.Bytes, new[] { length });
        batch.Extra.Put(StoreLayout.IndexKey(index.Number), new IndexRecord(keyspace.Number, index.Definition.Name, index.Definition.Signature).Encode());
    }
}
