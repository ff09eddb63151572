using Datacake.Data.Querying;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data;

public abstract partial class Query<T>
{
    /// <summary>
    /// Deletes the results from the store at the context's default level, without tracking them; see <see
    /// cref="ExecuteDeleteAsync(Consistency, CancellationToken)"/>.
    /// </summary>
    public Task<SaveResult> ExecuteDeleteAsync(CancellationToken cancellationToken = default) =>
        ExecuteCore(update: null, consistency: null, cancellationToken);

    /// <summary>
    /// Deletes the results from the store, as one transaction, without tracking them: tracked entities stay as they are. Between the look
    /// for them and the commit no other write to them on this node comes in.
    /// </summary>
    /// <returns>How many were deleted, and the transaction.</returns>
    /// <exception cref="InvalidOperationException">The query is not one for entities, but a projection or the like.</exception>
    /// <exception cref="ArgumentException">They are more than one transaction can hold: use <see cref="Take"/>, and repeat.</exception>
    /// <exception cref="TransactionConflictException">Others kept changing the entities meanwhile. Nothing was written.</exception>
    /// <exception cref="NotEnoughNodesException">The members that are up cannot satisfy the level. Nothing was written.</exception>
    /// <exception cref="ConsistencyException">The level was not satisfied in time. The write stays, and goes on replicating.</exception>
    public Task<SaveResult> ExecuteDeleteAsync(Consistency consistency, CancellationToken cancellationToken = default) =>
        ExecuteCore(update: null, consistency, cancellationToken);

    /// <summary>
    /// Changes properties of the results in the store at the context's default level, without tracking them; see <see
    /// cref="ExecuteUpdateAsync(Action{PropertySetters{T}}, Consistency, CancellationToken)"/>.
    /// </summary>
    public Task<SaveResult> ExecuteUpdateAsync(Action<PropertySetters<T>> setProperties, CancellationToken cancellationToken = default)
    {
        return ExecuteCore(UpdateOf(setProperties), consistency: null, cancellationToken);
    }

    /// <summary>
    /// Changes properties of the results in the store, as one transaction, without tracking them: tracked entities stay as they are.
    /// Between the look for them and the commit no other write to them on this node comes in. Only what changes is written, so that it
    /// merges with writes of other nodes, and a counter counts: <c>s.SetProperty(p => p.Stock, p => p.Stock - 1)</c>.
    /// </summary>
    /// <returns>How many entities changed, and the transaction.</returns>
    /// <exception cref="InvalidOperationException">The query is not one for entities, but a projection or the like.</exception>
    /// <exception cref="EntityValidationException">Entities would break the rules of their class. Nothing was written.</exception>
    /// <exception cref="ArgumentException">
    /// A property cannot be set; or the entities are more than one transaction can hold: use <see cref="Take"/>, and repeat.
    /// </exception>
    /// <exception cref="TransactionConflictException">Others kept changing the entities meanwhile. Nothing was written.</exception>
    /// <exception cref="NotEnoughNodesException">The members that are up cannot satisfy the level. Nothing was written.</exception>
    /// <exception cref="ConsistencyException">The level was not satisfied in time. The write stays, and goes on replicating.</exception>
    public Task<SaveResult> ExecuteUpdateAsync(
        Action<PropertySetters<T>> setProperties, Consistency consistency, CancellationToken cancellationToken = default)
    {
        return ExecuteCore(UpdateOf(setProperties), consistency, cancellationToken);
    }

    /// <summary>Updates, or deletes if <paramref name="update"/> is null.</summary>
    internal virtual Task<SaveResult> ExecuteCore(Func<NavigationRoots, Action<object>>? update, Consistency? consistency, CancellationToken cancellationToken) =>
        throw NotOfEntities();

    /// <summary>Returns the change that the caller wants of an entity, for when the related ones are loaded that it uses.</summary>
    Func<NavigationRoots, Action<object>> UpdateOf(Action<PropertySetters<T>> setProperties)
    {
        ArgumentNullException.ThrowIfNull(setProperties);
        var setters = new PropertySetters<T>((Source ?? throw NotOfEntities()).Model);
        setProperties(setters);
        return setters.Count > 0
            ? setters.Bind
            : throw new ArgumentException("Nothing is to be updated: call SetProperty for each property.", nameof(setProperties));
    }

    InvalidOperationException NotOfEntities() => new(
        $"ExecuteUpdateAsync and ExecuteDeleteAsync need a query for the entities of a keyspace; this is '{this}'. Leave out Select, Distinct, "
        + "and what follows Skip and Take.");
}
