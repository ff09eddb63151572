using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Datacake.Data.Metadata;
using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>Which classes of contexts have told a store about their keyspaces, so that each does it once.</summary>
sealed class DeclaredContexts
{
    // Belongs to the stores, and goes with them: a store knows nothing of contexts, and contexts come and go.
    static readonly ConditionalWeakTable<ReplicatedStore, DeclaredContexts> ByStore = [];

    readonly ConcurrentDictionary<Type, bool> _declared = new(), _seeded = new();

    public static DeclaredContexts Of(ReplicatedStore store) => ByStore.GetValue(store, static _ => new DeclaredContexts());

    /// <summary>Two contexts of one class that are first at the same time both declare, which does no harm.</summary>
    public async ValueTask DeclareAsync(
        ReplicatedStore store, Type context, IReadOnlyList<KeyspaceModel> keyspaces, CancellationToken cancellationToken)
    {
        if (_declared.ContainsKey(context))
            return;
        foreach (var keyspace in keyspaces)
        {
            await store.DeclareAsync(ModelOfNode.DeclarationOf(keyspace), cancellationToken).ConfigureAwait(false);
        }
        _declared[context] = true;
    }

    /// <summary>True if the entities that a class of contexts begins with are in the store, or were.</summary>
    public bool IsSeeded(Type context) => _seeded.ContainsKey(context);

    public void MarkSeeded(Type context) => _seeded[context] = true;
}
