using Datacake.Crdt;

namespace Datacake.Data.Querying;

/// <summary>The order of documents by a stored property, for which no entities are created. Immutable.</summary>
abstract class StoredOrder
{
    /// <summary>Returns true if a document comes after all items with a key. If it returns false, the entities have to be compared.</summary>
    public abstract bool IsAfter(DocumentView document, SortKey key);
}

/// <summary>The order of documents by a stored property of a type.</summary>
sealed class StoredOrder<T, TKey>(StoredValue<T, TKey> key, bool isDescending) : StoredOrder
    where T : class
{
    public override bool IsAfter(DocumentView document, SortKey other) => key.TryRead(document, out var value)
        && QueryComparer<TKey>.Instance.Compare(value, ((SortKey<TKey>)other).Value) is not 0 and var order && order > 0 != isDescending;
}
