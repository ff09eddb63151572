using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Transactions;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Sequencing;

// Numbers without gaps [S4]. The last number of each sequence is a document, which the same entry writes: a number belongs to the entry, and is lost with it.
partial class Sequencer
{
    const int MaxSkips = 100;
    const int MaxDeadKeys = 1_000;

    /// <summary>Assigns the numbers of a transaction. Nothing is taken from a sequence before the entry is appended.</summary>
    async ValueTask<(Verdict Verdict, IReadOnlyList<SerialOperation> Operations, IReadOnlyList<long> Numbers)> AssignAsync(ReplicaBatch batch, SerialProposal proposal)
    {
        if (proposal.Numbers.Count == 0)
            return (Verdict.Holds, proposal.Operations, []);
        SerialOperation[] operations = [.. proposal.Operations];
        var numbers = new long[proposal.Numbers.Count];
        var last = new Dictionary<string, long>();
        var keys = new TransactionKeys(operations);
        for (int i = 0; i < numbers.Length; i++)
        {
            var wanted = proposal.Numbers[i];
            if (!last.TryGetValue(wanted.Sequence, out long previous))
                previous = LastAssigned(wanted.Sequence, await LastNumberAsync(batch, wanted).ConfigureAwait(false));
            if (await NextNumberAsync(batch, wanted, previous, operations, keys).ConfigureAwait(false) is not { } number)
                return (new SerialRefusal(RefusalReason.NoNumber, i), operations, []);
            foreach (var place in wanted.Places)
            {
                var filled = place.Fill(operations[place.Operation], number);
                keys.Add(filled.Operation);
                operations[place.Operation] = filled;
            }
            numbers[i] = last[wanted.Sequence] = number;
        }
        return (Verdict.Holds, [.. operations, .. last.Select(static sequence => SerialNumber.RecordOf(sequence.Key, sequence.Value))], numbers);
    }

    /// <summary>Returns the last number of a sequence, counting those of entries that wait.</summary>
    async ValueTask<long> LastNumberAsync(ReplicaBatch batch, SerialNumber number)
    {
        if (FindWaiting(SerialNumber.Keyspace, number.RecordKey) is { } waiting)
            return waiting.Kind == DocumentOperationKind.Delete ? 0 : SerialNumber.LastOf(Document.Put(SerialOperation.NoStampYet, waiting.Content));
        if (_replica.Catalog.Find(SerialNumber.Keyspace) is not { } keyspace)
            return 0;
        var record = await batch.PeekAsync(StoreLayout.DocumentKey(keyspace.Number, number.RecordKey.Encoded.Span)).ConfigureAwait(false);
        return record.IsAlive(keyspace.Policy) ? SerialNumber.LastOf(record) : 0;
    }

    /// <summary>
    /// Returns the number after another. If a document with that number as its key exists, such as one that was imported with its key, returns the number after the
    /// greatest key instead. Returns null if there is none that fits.
    /// </summary>
    async ValueTask<long?> NextNumberAsync(ReplicaBatch batch, SerialNumber wanted, long previous, SerialOperation[] operations, TransactionKeys keys)
    {
        for (int skips = 0; skips < MaxSkips && previous < wanted.Max; skips++)
        {
            long number = previous + 1;
            var taken = default(NumberPlace);
            foreach (var place in wanted.Places.Where(static place => place.Offset >= 0))
            {
                var operation = place.Fill(operations[place.Operation], number).Operation;
                if (keys.Contains(operation.Keyspace, operation.Key) || await ContentAsync(batch, operation.Keyspace, operation.Key).ConfigureAwait(false) is not null)
                    taken = place;
            }
            if (taken is null)
                return number;
            previous = Math.Max(number, await GreatestAsync(batch, operations[taken.Operation].Operation, taken, keys).ConfigureAwait(false));
        }
        return null;
    }

    /// <summary>Returns the greatest number that a key has in a place.</summary>
    async ValueTask<long> GreatestAsync(ReplicaBatch batch, DocumentOperation operation, NumberPlace place, TransactionKeys keys)
    {
        var range = KeyRange.WithPrefix(place.PrefixOf(operation.Key));
        long greatest = keys.In(operation.Keyspace, range).Select(key => place.NumberIn(key.Encoded.Span)).DefaultIfEmpty().Max();
        if (_writes.LastKey(operation.Keyspace, range) is { } waiting)
            greatest = Math.Max(greatest, place.NumberIn(waiting.Encoded.Span));
        if (_replica.Catalog.Find(operation.Keyspace) is not { } keyspace || batch.IsWiped)
            return greatest;
        int dead = 0;
        await foreach (var (key, value) in batch.Snapshot.ReadAllReverseAsync(StoreLayout.Within(StoreLayout.Documents(keyspace.Number), range)).ConfigureAwait(false))
        {
            // Deleted documents leave no gap, unless there are so many that it would take long to look for one that is not.
            if (DocumentRecord.Parse(key, value).IsAlive(keyspace.Policy) || ++dead >= MaxDeadKeys)
                return Math.Max(greatest, place.NumberIn(key.Span[StoreLayout.DocumentPrefixLength..]));
        }
        return greatest;
    }

    /// <summary>The keys that a transaction writes.</summary>
    sealed class TransactionKeys
    {
        readonly HashSet<(string, DocumentKey)> _keys = [];

        public TransactionKeys(IEnumerable<SerialOperation> operations)
        {
            foreach (var (_, operation) in operations)
                _keys.Add((operation.Keyspace, operation.Key));
        }

        public bool Contains(string keyspace, DocumentKey key) => _keys.Contains((keyspace, key));

        public IEnumerable<DocumentKey> In(string keyspace, KeyRange range) =>
            _keys.Where(key => key.Item1 == keyspace && range.Contains(key.Item2.Encoded.Span)).Select(static key => key.Item2);

        /// <summary>Adds the key of an operation that has got its number.</summary>
        public void Add(DocumentOperation operation) => _keys.Add((operation.Keyspace, operation.Key));
    }
}
