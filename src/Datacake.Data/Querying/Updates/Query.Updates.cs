using Datacake.Data.Querying.Related;
using Datacake.EventualConsistency;

namespace Datacake.Data;

public abstract partial class Query<T>
{
    /// <summary>
    /// Deletes the results from the store at the context's default consistency level, without tracking them; see
    /// <see cref="ExecuteDeleteAsync(Consistency, CancellationToken)"/>.
    /// </summary>
    public Task<SaveResult> ExecuteDeleteAsync(CancellationToken cancellationToken = default) =>
        Operator.ExecuteAsync(update: null, consistency: null, cancellationToken);

    /// <summary>
    /// Deletes the results from the store in one transaction, without tracking them. Tracked entities do not change. No other write to the
    /// results on this node can come between reading them and the commit.
    /// </summary>
    /// <returns>The number of deleted entities, and the stamp of the transaction.</returns>
    /// <exception cref="InvalidOperationException">
    /// The query is not one for entities, but, for example, a projection; a serial unit of work of the context is not saved yet; or the query searches more of a
    /// serial class than can be checked, or what others kept changing. Nothing was written.
    /// </exception>
    /// <exception cref="ArgumentException">
    /// There are more results than one transaction can hold. Use <see cref="Take"/>, and repeat.
    /// </exception>
    /// <exception cref="TransactionConflictException">Other writers kept changing the entities. Nothing was written.</exception>
    /// <exception cref="NotEnoughNodesException">The members that are up cannot satisfy the level. Nothing was written.</exception>
    /// <exception cref="ConsistencyException">
    /// The level was not satisfied in time. The write is kept and continues to replicate.
    /// </exception>
    public Task<SaveResult> ExecuteDeleteAsync(Consistency consistency, CancellationToken cancellationToken = default) =>
        Operator.ExecuteAsync(update: null, consistency, cancellationToken);

    /// <summary>
    /// Updates properties of the results in the store at the context's default consistency level, without tracking them; see
    /// <see cref="ExecuteUpdateAsync(Action{PropertySetters{T}}, Consistency, CancellationToken)"/>.
    /// </summary>
    public Task<SaveResult> ExecuteUpdateAsync(Action<PropertySetters<T>> setProperties, CancellationToken cancellationToken = default)
    {
        return Operator.ExecuteAsync(UpdateOf(setProperties), consistency: null, cancellationToken);
    }

    /// <summary>
    /// Updates properties of the results in the store in one transaction, without tracking them. Tracked entities do not change. No other
    /// write to the results on this node can come between reading them and the commit. Only changed values are written, so that the update
    /// merges with writes of other nodes, and counters add up: <c>s.SetProperty(p => p.Stock, p => p.Stock - 1)</c>.
    /// </summary>
    /// <returns>The number of entities that were found, the number that were written, and the stamp of the transaction.</returns>
    /// <exception cref="InvalidOperationException">
    /// The query is not one for entities, but, for example, a projection; a serial unit of work of the context is not saved yet; or the query searches more of a
    /// serial class than can be checked, or what others kept changing. Nothing was written.
    /// </exception>
    /// <exception cref="BoundExceededException">A counter would pass its bound. Nothing was written.</exception>
    /// <exception cref="EntityValidationException">Entities would violate the rules of their class. Nothing was written.</exception>
    /// <exception cref="ArgumentException">
    /// A property cannot be set, or there are more results than one transaction can hold. In the latter case, use <see cref="Take"/>, and
    /// repeat.
    /// </exception>
    /// <exception cref="TransactionConflictException">Other writers kept changing the entities. Nothing was written.</exception>
    /// <exception cref="NotEnoughNodesException">The members that are up cannot satisfy the level. Nothing was written.</exception>
    /// <exception cref="ConsistencyException">
    /// The level was not satisfied in time. The write is kept and continues to replicate.
    /// </exception>
    public Task<SaveResult> ExecuteUpdateAsync(
        Action<PropertySetters<T>> setProperties, Consistency consistency, CancellationToken cancellationToken = default)
    {
        return Operator.ExecuteAsync(UpdateOf(setProperties), consistency, cancellationToken);
    }

    /// <summary>
    /// Returns the change to an entity that the caller asks for, to be applied once the related entities that it uses are loaded.
    /// </summary>
    Func<NavigationRoots, Action<object>> UpdateOf(Action<PropertySetters<T>> setProperties)
    {
        ArgumentNullException.ThrowIfNull(setProperties);
        var setters = new PropertySetters<T>((Operator.Source ?? throw Operator.NotUpdatable()).Model);
        setProperties(setters);
        return setters.Count > 0
            ? setters.Bind
            : throw new ArgumentException("The update sets no property. Call SetProperty for each property to update.", nameof(setProperties));
    }
}
