using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Datacake.Data;

/// <summary>
/// The entities of a keyspace that a context tracks, except those that are to be deleted. Each enumeration reflects the current state
/// and does not read the store. Not thread-safe, like the context.
/// </summary>
[SuppressMessage("Naming", "CA1710:Identifiers should have correct suffix", Justification = "It is a view.")]
public sealed class LocalView<T> : IReadOnlyCollection<T>
    where T : class
{
    readonly Keyspace<T> _keyspace;

    internal LocalView(Keyspace<T> keyspace) => _keyspace = keyspace;

    /// <summary>Gets the number of entities.</summary>
    public int Count
    {
        get
        {
            int count = 0;
            foreach (var _ in this)
                count++;
            return count;
        }
    }

    /// <summary>Returns the tracked entity with a key; null if there is none.</summary>
    /// <param name="keyValues">The values of the key properties, in order.</param>
    /// <exception cref="ArgumentException">The values do not match the key.</exception>
    public T? Find(params object?[] keyValues)
    {
        ArgumentNullException.ThrowIfNull(keyValues);
        return _keyspace.Model.FindKey(keyValues) is { } key && _keyspace.Context.ChangeTracker.TryGetEntry(_keyspace.Model, key, out var entry)
            && entry.CurrentState != EntityState.Deleted ? (T)entry.Entity : null;
    }

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator() => _keyspace.Context.ChangeTracker.Tracked<T>()
        .Where(static entry => entry.CurrentState != EntityState.Deleted)
        .Select(static entry => entry.Entity)
        .GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
