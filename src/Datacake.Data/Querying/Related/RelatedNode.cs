using System.Linq.Expressions;
using System.Reflection;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Metadata;
using Datacake.Data.Querying.Including;

namespace Datacake.Data.Querying.Related;

/// <summary>
/// A position in an expression that holds entities of one class, and the navigations that the expression uses from them. An instance serves
/// one run of a query.
/// </summary>
class RelatedNode(EntityModel model) : NavigationRoots
{
    public static readonly MethodInfo AreSameMethod = typeof(RelatedNode).GetMethod(nameof(AreSame))!;

    Dictionary<NavigationModel, RelatedLookup>? _children;

    public EntityModel Model => model;

    /// <summary>True if related entities are used.</summary>
    public bool IsUsed => _children is not null;

    /// <summary>Returns the lookup that replaces a navigation.</summary>
    public RelatedLookup Child(NavigationModel navigation)
    {
        _children ??= [];
        if (!_children.TryGetValue(navigation, out var child))
            _children.Add(navigation, child = navigation.TargetModel.Accept(new LookupCreation(navigation)));
        return child;
    }

    /// <summary>Returns this position for the item itself: the items are the entities.</summary>
    public override RelatedNode? Find(Expression expression, ParameterExpression item) => expression == item ? this : null;

    public override EntityModel? FindClass(Type entity, string navigation)
    {
        var known = new HashSet<EntityModel> { model };
        var open = new Queue<EntityModel>(known);
        while (open.TryDequeue(out var next))
        {
            if (entity.IsAssignableTo(next.Type) && next.FindNavigation(navigation) is not null)
                return next;
            foreach (var other in next.Navigations)
            {
                if (known.Add(other.TargetModel))
                    open.Enqueue(other.TargetModel);
            }
        }
        return null;
    }

    /// <summary>Loads the related entities that are used, for a batch of entities.</summary>
    public async Task LoadRelatedAsync(RelatedSource source, IReadOnlyList<object> batch, CancellationToken cancellationToken)
    {
        if (_children is null)
            return;
        foreach (var child in _children.Values)
            await child.LoadAsync(source, batch, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Returns true if two instances represent the same entity.</summary>
    public bool AreSame(object? first, object? second) => ReferenceEquals(first, second)
        || (first is not null && second is not null && model.Has(first.GetType()) && model.Has(second.GetType()) && model.KeyOf(first) == model.KeyOf(second));

    sealed class LookupCreation(NavigationModel navigation) : IEntityModelVisitor<RelatedLookup>
    {
        public RelatedLookup Visit<T>(EntityModel<T> model)
            where T : class => new RelatedLookup<T>((NavigationModel<T>)navigation);
    }
}

/// <summary>A lookup that replaces a navigation in an expression, and holds the related entities of the current batch.</summary>
abstract class RelatedLookup(NavigationModel navigation) : RelatedNode(navigation.TargetModel)
{
    public static readonly MethodInfo GetMethod = typeof(RelatedLookup).GetMethod(nameof(Get))!;

    /// <summary>
    /// Returns the related entity of an entity, or null; for a collection, the related entities, which may be none. Null is treated as an
    /// entity without related ones.
    /// </summary>
    public abstract object? Get(object? entity);

    public abstract Task LoadAsync(RelatedSource source, IReadOnlyList<object> batch, CancellationToken cancellationToken);

    public override string ToString() => navigation.Name;
}

sealed class RelatedLookup<TTarget>(NavigationModel<TTarget> navigation) : RelatedLookup(navigation)
    where TTarget : class
{
    readonly Dictionary<object, ICollection<TTarget>> _collections = new(ReferenceEqualityComparer.Instance);
    RelatedEntities<TTarget> _related = new();

    public override object? Get(object? entity)
    {
        if (navigation.Create is null)
            return entity is null || _related.Of(entity) is not [var first, ..] ? null : first;
        if (entity is null)
            return navigation.Create();
        if (!_collections.TryGetValue(entity, out var collection))
        {
            _collections.Add(entity, collection = navigation.Create());
            foreach (var target in _related.Of(entity))
                collection.Add(target);
        }
        return collection;
    }

    public override async Task LoadAsync(RelatedSource source, IReadOnlyList<object> batch, CancellationToken cancellationToken)
    {
        _collections.Clear();
        _related = await RelatedReader.FindAsync(navigation, source, batch, filter: null, cancellationToken).ConfigureAwait(false);
        await LoadRelatedAsync(source, _related.All, cancellationToken).ConfigureAwait(false);
    }
}
