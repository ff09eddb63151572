using System.Runtime.CompilerServices;
using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>A document that a transaction in the log names.</summary>
/// <param name="Transaction">The names of all documents of the transaction.</param>
/// <param name="Index">The index of the document among these names; -1 for a transaction without documents.</param>
/// <param name="Key">The storage key of the document.</param>
/// <param name="Document">The document in its current state; <see cref="Document.Nothing"/> if it is not stored, or was not wanted.</param>
readonly record struct LoggedDocument(TransactionNames Transaction, int Index, ReadOnlyMemory<byte> Key, Document Document)
{
    /// <summary>True if this is the last document of the transaction.</summary>
    public bool IsLast => Index == Transaction.Documents.Count - 1;

    public DocumentName Name => Transaction.Documents[Index];
}

/// <summary>
/// A reader of the documents that transactions in the log name. It reads several documents with one call to the storage, which is faster
/// than one call for each.
/// </summary>
/// <param name="snapshot">The snapshot to read.</param>
/// <param name="catalog">The keyspaces of the store.</param>
sealed class LoggedDocuments(IStorageSnapshot snapshot, KeyspaceCatalog catalog)
{
    const int MaxDocuments = 32;

    // After a page that is longer than this, documents are read one at a time: a page of long documents would need much memory.
    const int MaxLength = 64 * 1024;

    KeyspaceEntry? _keyspace;       // the keyspace of the last name

    /// <summary>
    /// Returns the documents of the transactions with the given stamps in pages, newest transaction first. A document is listed with each
    /// transaction that names it. A page is valid until the next one is requested.
    /// </summary>
    /// <param name="stamps">The stamps of the transactions.</param>
    /// <param name="isWanted">Decides by name and storage key whether a document is read.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    public async IAsyncEnumerable<IReadOnlyList<LoggedDocument>> ReadNewestFirstAsync(
        VersionVector stamps, Func<DocumentName, ReadOnlyMemory<byte>, bool> isWanted, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var entries = new EntryPage();
        var page = new List<LoggedDocument>(MaxDocuments);
        int pageSize = 1;
        await foreach (var transaction in TransactionLog.ReadNewestFirstAsync(snapshot, stamps, cancellationToken).ConfigureAwait(false))
        {
            var names = NamesOf(transaction);
            for (int i = Math.Min(0, names.Documents.Count - 1); i < names.Documents.Count; i++)
            {
                page.Add(new LoggedDocument(names, i, i < 0 ? default : transaction.DocumentKeys[i], Document.Nothing));
                if (page.Count < pageSize)
                    continue;
                await ReadAsync(page, isWanted, entries, cancellationToken).ConfigureAwait(false);
                yield return page;
                page.Clear();
                pageSize = entries.Length <= MaxLength ? Math.Min(2 * pageSize, MaxDocuments) : 1;
            }
        }
        await ReadAsync(page, isWanted, entries, cancellationToken).ConfigureAwait(false);
        yield return page;
    }

    /// <summary>Reads the documents of a page from the storage.</summary>
    async ValueTask ReadAsync(
        List<LoggedDocument> page, Func<DocumentName, ReadOnlyMemory<byte>, bool> isWanted, EntryPage entries, CancellationToken cancellationToken)
    {
        var keys = new List<ReadOnlyMemory<byte>>(page.Count);
        foreach (var logged in page)
        {
            if (logged.Index >= 0 && isWanted(logged.Name, logged.Key))
                keys.Add(logged.Key);
        }
        await snapshot.GetManyAsync(keys, entries, cancellationToken).ConfigureAwait(false);
        for (int i = 0, entry = 0; i < page.Count && entry < entries.Count; i++)
        {
            if (entries.KeyOf(entry).SequenceEqual(page[i].Key.Span))
                page[i] = page[i] with { Document = DocumentRecord.Parse(page[i].Key, entries.ValueOf(entry++)) };
        }
    }

    TransactionNames NamesOf(LogTransaction transaction)
    {
        var names = new DocumentName[transaction.DocumentKeys.Length];
        for (int i = 0; i < names.Length; i++)
        {
            var key = transaction.DocumentKeys[i];
            ushort number = StoreLayout.KeyspaceOf(key.Span);
            if (_keyspace?.Number != number)
                _keyspace = catalog[number];
            names[i] = new DocumentName(_keyspace.Name, _keyspace.Policy, key[StoreLayout.DocumentPrefixLength..]);
        }
        return new TransactionNames(transaction.Stamp, names);
    }
}
