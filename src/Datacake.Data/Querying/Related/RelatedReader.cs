using Datacake.Data.CodeGeneration;
using Datacake.Data.Metadata;
using Datacake.Data.Querying.Including;
using Datacake.Data.Querying.Updates;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Querying.Related;

/// <summary>Reads the entities that are related to others.</summary>
static class RelatedReader
{
    /// <summary>Returns the query for the entities that refer to any of several principals.</summary>
    public static QuerySpec<TDependent> DependentsOf<TDependent>(RelationModel relation, IEnumerable<object> principals)
    {
        var typed = (IRelationOf<TDependent>)relation;
        var keys = principals.Select(relation.KeyValuesOf).ToList();
        var spec = new QuerySpec<TDependent>();
        if (typed.OfDependentClass is { } isOfClass)
            spec = spec.Where(isOfClass);
        for (int i = 0; i < typed.Parts.Count; i++)
            spec = spec.Where(typed.Parts[i].IsAmong(keys.Select(key => key[i])));
        return spec;
    }

    /// <summary>Finds the related entities of a batch of entities.</summary>
    public static Task<RelatedEntities<TTarget>> FindAsync<TTarget>(
        NavigationModel<TTarget> navigation, RelatedSource source, IReadOnlyList<object> batch, RelatedFilter<TTarget>? filter, CancellationToken cancellationToken)
        where TTarget : class => navigation.IsOnDependent
            ? FindPrincipalsAsync<TTarget>(navigation.Relation, source, batch, cancellationToken)
            : FindDependentsAsync(navigation.Relation, source, batch, filter, cancellationToken);

    /// <summary>Reads the stored entities that refer to any of several principals.</summary>
    public static Task<List<StoredEntity>> ReadDependentsAsync(
        RelationModel relation, StoreSnapshot snapshot, IReadOnlyList<object> principals, CancellationToken cancellationToken) =>
        relation.Dependents.Entity.Accept(new DependentsReading(relation, snapshot, principals, cancellationToken));

    static async Task<RelatedEntities<TPrincipal>> FindPrincipalsAsync<TPrincipal>(
        RelationModel relation, RelatedSource source, IReadOnlyList<object> batch, CancellationToken cancellationToken)
        where TPrincipal : class
    {
        var keyspace = relation.Principals;
        var model = (EntityModel<TPrincipal>)keyspace.Entity;
        var found = new Dictionary<DocumentKey, TPrincipal?>();
        var related = new RelatedEntities<TPrincipal>();
        foreach (object dependent in batch)
        {
            if (relation.PrincipalKeyOf(dependent) is not { } key)
                continue;
            if (!found.TryGetValue(key, out var principal))
            {
                var document = await source.Snapshot.GetAsync(keyspace.Name, key, cancellationToken).ConfigureAwait(false);
                principal = document is not null && model.Read(key, document) is var stored && source.Filtering?.IsShown(model, stored) != false
                    ? source.Take(keyspace, key, document, stored)
                    : null;
                found.Add(key, principal);
            }
            if (principal is not null)
                related.Add(dependent, principal);
        }
        return related;
    }

    static async Task<RelatedEntities<TDependent>> FindDependentsAsync<TDependent>(
        RelationModel relation, RelatedSource source, IReadOnlyList<object> batch, RelatedFilter<TDependent>? filter, CancellationToken cancellationToken)
        where TDependent : class
    {
        var keyspace = relation.Dependents;
        var related = new RelatedEntities<TDependent>();
        var principals = batch.Distinct(ReferenceEqualityComparer.Instance).Select(principal => (Principal: principal, Key: relation.KeyOf(principal!)))
            .Where(known => known.Key is not null).ToLookup(known => known.Key!.Value, known => known.Principal!);
        if (principals.Count == 0)
            return related;
        var spec = DependentsOf<TDependent>(relation, principals.SelectMany(same => same));
        foreach (var condition in (source.Filtering?.Of<TDependent>() ?? []).Concat(filter?.Conditions ?? []))
            spec = spec.Where(condition, keyspace.Entity);
        var run = new QueryRun<TDependent>(keyspace, (EntityModel<TDependent>)keyspace.Entity, spec);
        await foreach (var rows in run.ReadAsync(source.Snapshot, cancellationToken).ConfigureAwait(false))
        {
            foreach (var row in rows)
            {
                var dependent = source.Take(keyspace, row.Key, row.Document, row.Entity);
                if (relation.PrincipalKeyOf(dependent) is not { } key)
                    continue;
                foreach (object principal in principals[key])
                    related.Add(principal, dependent);
            }
        }
        return related;
    }

    sealed class DependentsReading(RelationModel relation, StoreSnapshot snapshot, IReadOnlyList<object> principals, CancellationToken cancellationToken)
        : IEntityModelVisitor<Task<List<StoredEntity>>>
    {
        public async Task<List<StoredEntity>> Visit<T>(EntityModel<T> model)
            where T : class
        {
            var found = new List<StoredEntity>();
            var run = new QueryRun<T>(relation.Dependents, model, DependentsOf<T>(relation, principals));
            await foreach (var rows in run.ReadAsync(snapshot, cancellationToken).ConfigureAwait(false))
                found.AddRange(rows.Select(row => new StoredEntity(relation.Dependents, row.Key, row.Document, row.Entity)));
            return found;
        }
    }
}
