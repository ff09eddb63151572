using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>The context classes that have declared their keyspaces in a store, so that each class does it only once.</summary>
sealed class DeclaredContexts
{
    // Kept for each store and collected with it: a store does not know contexts, and contexts come and go.
    static readonly ConditionalWeakTable<ReplicatedStore, DeclaredContexts> ByStore = [];

    readonly ConcurrentDictionary<Type, bool> _declared = new(), _seeded = new();

    public static DeclaredContexts Of(ReplicatedStore store) => ByStore.GetValue(store, static _ => new DeclaredContexts());

    /// <summary>
    /// Declares the keyspaces of a context class, unless that was done before. If two contexts of the class are first at the same time,
    /// both declare, which does no harm.
    /// </summary>
    public async ValueTask DeclareAsync(
        ReplicatedStore store, Type context, IReadOnlyList<KeyspaceModel> keyspaces, CancellationToken cancellationToken)
    {
        if (_declared.ContainsKey(context))
            return;
        foreach (var keyspace in keyspaces)
        {
            await store.DeclareAsync(DatacakeNodeModelExtensions.DeclarationOf(keyspace), cancellationToken).ConfigureAwait(false);
        }
        _declared[context] = true;
    }

    /// <summary>Returns true if the seed entities of a context class were added to the store.</summary>
    public bool IsSeeded(Type context) => _seeded.ContainsKey(context);

    public void MarkSeeded(Type context) => _seeded[context] = true;
}
