using System.Linq.Expressions;
using Datacake.Data.Querying;
using Datacake.EventualConsistency;

namespace Datacake.Data.Metadata;

/// <summary>
/// A relation between two entity classes. The foreign key of the dependent class holds the key of the principal class.
/// </summary>
public abstract class RelationModel
{
    private protected RelationModel(KeyspaceModel dependents, KeyspaceModel principals, IReadOnlyList<PropertyModel> foreignKey, DeleteBehavior deleteBehavior)
    {
        Dependents = dependents;
        Principals = principals;
        ForeignKey = foreignKey;
        DeleteBehavior = deleteBehavior;
    }

    /// <summary>Gets the keyspace of the dependents, which have the foreign key.</summary>
    public KeyspaceModel Dependents { get; }

    /// <summary>Gets the keyspace of the principals, which the foreign key refers to.</summary>
    public KeyspaceModel Principals { get; }

    /// <summary>Gets the properties of the foreign key, in the order of the principal's key.</summary>
    public IReadOnlyList<PropertyModel> ForeignKey { get; }

    /// <summary>Gets the action that a save takes on the dependents of a deleted principal.</summary>
    public DeleteBehavior DeleteBehavior { get; }

    /// <summary>Gets the navigation from a dependent to its principal; null if there is none.</summary>
    public abstract NavigationModel? Reference { get; }

    /// <summary>Gets the navigation from a principal to its dependents; null if there is none.</summary>
    public abstract NavigationModel? Inverse { get; }

    /// <summary>True if a dependent requires a principal.</summary>
    public bool IsRequired { get; init; }

    /// <summary>True if each principal has at most one dependent.</summary>
    public bool IsUnique { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Dependents.Entity.Name}.{string.Join(", ", ForeignKey.Select(part => part.Name))} to {Principals.Entity.Name}";

    /// <summary>True if the foreign key is part of the dependent's key, so that it cannot change.</summary>
    internal bool IsPartOfKey => ForeignKey.Any(part => part.Kind == PropertyKind.Key);

    /// <summary>Returns the key of the principal that a dependent refers to; null if it refers to none.</summary>
    internal DocumentKey? PrincipalKeyOf(object dependent)
    {
        var values = new object?[ForeignKey.Count];
        for (int i = 0; i < values.Length; i++)
            values[i] = ForeignKey[i].GetValue(dependent);
        return Principals.Entity.FindKey(values);
    }

    /// <summary>Returns the key of a principal; null if it has none yet.</summary>
    internal DocumentKey? KeyOf(object principal) => Principals.Entity.FindKey(KeyValuesOf(principal));

    /// <summary>Makes a dependent refer to a principal. Returns true if it did not before.</summary>
    internal bool Refer(object dependent, object principal)
    {
        if (KeyOf(principal) is { } key && PrincipalKeyOf(dependent) == key)
            return false;
        var values = KeyValuesOf(principal);
        for (int i = 0; i < values.Length; i++)
            Set(ForeignKey[i], dependent, values[i]);
        return true;
    }

    /// <summary>Makes a dependent refer to no principal.</summary>
    internal void Clear(object dependent)
    {
        foreach (var part in ForeignKey.Where(part => part.IsNullable && part.Kind != PropertyKind.Key))
            Set(part, dependent, null);
    }

    /// <summary>
    /// Returns the foreign key property that is required and was not set, so that it refers to nothing; null if there is none.
    /// </summary>
    internal PropertyModel? FindUnset(object dependent) =>
        ForeignKey is [{ IsNullable: false } part] && Principals.Entity.UnsetKeyValue is { } unset && unset.Equals(part.GetValue(dependent)) ? part : null;

    /// <summary>Describes the problem of a foreign key that was not set, phrased to follow its name.</summary>
    internal string DescribeUnset(PropertyModel part) =>
        $"refers to no {Principals.Entity.Name}. Set {(Reference is null ? "" : $"{Reference.Name} or ")}{part.Name}, or make {part.Name} nullable";

    /// <summary>Tracks the stored entities that refer to any of several principals.</summary>
    internal abstract Task TrackDependentsAsync(
        ChangeTracker tracker, StoreSnapshot snapshot, IReadOnlyList<object> principals, CancellationToken cancellationToken);

    /// <summary>Reads the stored entities that refer to any of several principals.</summary>
    internal abstract Task<List<StoredEntity>> ReadDependentsAsync(StoreSnapshot snapshot, IReadOnlyList<object> principals, CancellationToken cancellationToken);

    private protected object?[] KeyValuesOf(object principal)
    {
        var key = Principals.Entity.Key;
        var values = new object?[key.Count];
        for (int i = 0; i < values.Length; i++)
            values[i] = key[i].GetValue(principal);
        return values;
    }

    void Set(PropertyModel part, object dependent, object? value)
    {
        if (part.Setter is not { } set)
        {
            throw new InvalidOperationException(
                $"The foreign key {part.Name} of {Dependents.Entity.Name} cannot be set to the key of the {Principals.Entity.Name}, because it has no setter. Add a setter, which may be private.");
        }
        set(dependent, value);
    }
}

/// <inheritdoc/>
/// <typeparam name="TDependent">The dependent class, which has the foreign key.</typeparam>
/// <typeparam name="TPrincipal">The principal class, which the foreign key refers to.</typeparam>
public sealed class RelationModel<TDependent, TPrincipal> : RelationModel, IDependents<TDependent>
    where TDependent : class
    where TPrincipal : class
{
    readonly IReadOnlyList<ForeignKeyPart<TDependent>> _parts;

    /// <summary>Creates a relation. For generated code.</summary>
    /// <param name="dependents">The keyspace of the dependents, which have the foreign key.</param>
    /// <param name="principals">The keyspace of the principals, which the foreign key refers to.</param>
    /// <param name="foreignKey">The properties of the foreign key, in the order of the principal's key.</param>
    /// <param name="deleteBehavior">The action that a save takes on the dependents of a deleted principal.</param>
    /// <param name="reference">The navigation from a dependent to its principal.</param>
    /// <param name="inverse">The navigation from a principal to its dependents.</param>
    public RelationModel(
        KeyspaceModel dependents,
        KeyspaceModel principals,
        IReadOnlyList<ForeignKeyPart<TDependent>> foreignKey,
        DeleteBehavior deleteBehavior,
        NavigationAccess<TPrincipal>? reference,
        NavigationAccess<TDependent>? inverse)
        : base(
            dependents ?? throw new ArgumentNullException(nameof(dependents)), principals ?? throw new ArgumentNullException(nameof(principals)),
            [.. foreignKey.Select(part => dependents.Entity.FindProperty(part.Name)!)], deleteBehavior)
    {
        _parts = foreignKey;
        Reference = reference is null ? null : new PrincipalNavigation<TDependent, TPrincipal>(this, reference);
        Inverse = inverse is null ? null : new DependentNavigation<TDependent, TPrincipal>(this, inverse);
    }

    /// <inheritdoc/>
    public override NavigationModel? Reference { get; }

    /// <inheritdoc/>
    public override NavigationModel? Inverse { get; }

    /// <summary>
    /// Gets the condition that an entity has the derived class that declares the foreign key; null if all dependents have it.
    /// </summary>
    public Expression<Func<TDependent, bool>>? OfDependentClass { get; init; }

    QuerySpec<TDependent> IDependents<TDependent>.DependentsOf(IEnumerable<object> principals) => DependentsOf(principals);

    QuerySpec<TDependent> DependentsOf(IEnumerable<object> principals)
    {
        var keys = principals.Select(KeyValuesOf).ToList();
        var spec = new QuerySpec<TDependent>();
        if (OfDependentClass is not null)
            spec = spec.Where(OfDependentClass);
        for (int i = 0; i < _parts.Count; i++)
            spec = spec.Where(_parts[i].IsAmong(keys.Select(key => key[i])));
        return spec;
    }

    internal async Task<RelatedEntities<TPrincipal>> FindPrincipalsAsync(RelatedSource source, IReadOnlyList<object> batch, CancellationToken cancellationToken)
    {
        var model = (EntityModel<TPrincipal>)Principals.Entity;
        var found = new Dictionary<DocumentKey, TPrincipal?>();
        var related = new RelatedEntities<TPrincipal>();
        foreach (object dependent in batch)
        {
            if (PrincipalKeyOf(dependent) is not { } key)
                continue;
            if (!found.TryGetValue(key, out var principal))
            {
                var document = await source.Snapshot.GetAsync(Principals.Name, key, cancellationToken).ConfigureAwait(false);
                principal = document is not null && model.Read(key, document) is var stored && source.Filtering?.IsShown(model, stored) != false
                    ? source.Take(Principals, key, document, stored)
                    : null;
                found.Add(key, principal);
            }
            if (principal is not null)
                related.Add(dependent, principal);
        }
        return related;
    }

    internal async Task<RelatedEntities<TDependent>> FindDependentsAsync(
        RelatedSource source, IReadOnlyList<object> batch, RelatedFilter<TDependent>? filter, CancellationToken cancellationToken)
    {
        var related = new RelatedEntities<TDependent>();
        var principals = batch.Distinct(ReferenceEqualityComparer.Instance).Select(principal => (Principal: principal, Key: KeyOf(principal!)))
            .Where(known => known.Key is not null).ToLookup(known => known.Key!.Value, known => known.Principal!);
        if (principals.Count == 0)
            return related;
        var spec = DependentsOf(principals.SelectMany(same => same));
        foreach (var condition in (source.Filtering?.Of<TDependent>() ?? []).Concat(filter?.Conditions ?? []))
            spec = spec.Where(condition, Dependents.Entity);
        var run = new QueryRun<TDependent>(Dependents, (EntityModel<TDependent>)Dependents.Entity, spec);
        await foreach (var rows in run.ReadAsync(source.Snapshot, cancellationToken).ConfigureAwait(false))
        {
            foreach (var row in rows)
            {
                var dependent = source.Take(Dependents, row.Key, row.Document, row.Entity);
                if (PrincipalKeyOf(dependent) is not { } key)
                    continue;
                foreach (object principal in principals[key])
                    related.Add(principal, dependent);
            }
        }
        return related;
    }

    internal override async Task<List<StoredEntity>> ReadDependentsAsync(StoreSnapshot snapshot, IReadOnlyList<object> principals, CancellationToken cancellationToken)
    {
        var found = new List<StoredEntity>();
        var run = new QueryRun<TDependent>(Dependents, (EntityModel<TDependent>)Dependents.Entity, DependentsOf(principals));
        await foreach (var rows in run.ReadAsync(snapshot, cancellationToken).ConfigureAwait(false))
            found.AddRange(rows.Select(row => new StoredEntity(Dependents, row.Key, row.Document, row.Entity)));
        return found;
    }

    internal override async Task TrackDependentsAsync(
        ChangeTracker tracker, StoreSnapshot snapshot, IReadOnlyList<object> principals, CancellationToken cancellationToken)
    {
        foreach (var found in await ReadDependentsAsync(snapshot, principals, cancellationToken).ConfigureAwait(false))
            tracker.TrackRead(Dependents, found.Key, found.Document, (TDependent)found.Entity);
    }
}
