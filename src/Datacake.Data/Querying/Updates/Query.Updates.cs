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
        ExecuteDeleteAsync(BulkOptions.Default, cancellationToken);

    /// <summary>
    /// Deletes the results from the store in one transaction, or in parts if one cannot hold them, without tracking them. Tracked entities do not change. No other write to the
    /// results of a transaction on this node can come between reading them and the commit.
    /// </summary>
    /// <returns>The number of deleted entities, and the stamp of the transaction.</returns>
    /// <exception cref="InvalidOperationException">
    /// The query is not one for entities, but, for example, a projection; a serial unit of work of the context is not saved yet; or the query searches more of a
    /// serial class than can be checked, or what others kept changing. Nothing was written.
    /// </exception>
    /// <exception cref="ArgumentException">
    /// There are more results than one transaction can hold, and they cannot be deleted in parts. Use <see cref="Take"/>, and repeat.
    /// </exception>
    /// <exception cref="TransactionConflictException">Other writers kept changing the entities. Nothing was written.</exception>
    /// <exception cref="NotEnoughNodesException">The members that are up cannot satisfy the level. Nothing was written.</exception>
    /// <exception cref="ConsistencyException">
    /// The level was not satisfied in time. The write is kept and continues to replicate.
    /// </exception>
    public Task<SaveResult> ExecuteDeleteAsync(Consistency consistency, CancellationToken cancellationToken = default) =>
        ExecuteDeleteAsync(BulkOptions.Default with { Consistency = consistency }, cancellationToken);

    /// <summary>
    /// Deletes the results from the store, without tracking them: in one transaction, or in parts if one cannot hold them and the options allow it; see
    /// <see cref="ExecuteDeleteAsync(Consistency, CancellationToken)"/>.
    /// </summary>
    /// <inheritdoc cref="ExecuteUpdateAsync(Action{PropertySetters{T}}, BulkOptions, CancellationToken)" path="/remarks"/>
    /// <returns>The number of deleted entities, and the number of transactions.</returns>
    /// <exception cref="TransactionLimitException">There are more results than one transaction can hold, and they cannot be deleted in parts. Nothing was written.</exception>
    public Task<SaveResult> ExecuteDeleteAsync(BulkOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Operator.ExecuteAsync(update: null, options, cancellationToken);
    }

    /// <summary>
    /// Updates properties of the results in the store at the context's default consistency level, without tracking them; see
    /// <see cref="ExecuteUpdateAsync(Action{PropertySetters{T}}, Consistency, CancellationToken)"/>.
    /// </summary>
    public Task<SaveResult> ExecuteUpdateAsync(Action<PropertySetters<T>> setProperties, CancellationToken cancellationToken = default)
    {
        return ExecuteUpdateAsync(setProperties, BulkOptions.Default, cancellationToken);
    }

    /// <summary>
    /// Updates properties of the results in the store in one transaction, or in parts if one cannot hold them, without tracking them. Tracked entities do not change. No other
    /// write to the results of a transaction on this node can come between reading them and the commit. Only changed values are written, so that the update
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
    /// A property cannot be set, or there are more results than one transaction can hold, and they cannot be changed in parts. In the latter case, use <see cref="Take"/>, and
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
        return ExecuteUpdateAsync(setProperties, BulkOptions.Default with { Consistency = consistency }, cancellationToken);
    }

    /// <summary>
    /// Updates properties of the results in the store, without tracking them: in one transaction, or in parts if one cannot hold them and the options allow it; see
    /// <see cref="ExecuteUpdateAsync(Action{PropertySetters{T}}, Consistency, CancellationToken)"/>.
    /// </summary>
    /// <remarks>
    /// In parts, each part is one transaction that is committed at the level, and the parts follow the keys. A part reads its entities again, so that one that no longer satisfies the conditions is left
    /// out. If the change is canceled or fails, the parts before are kept, and <see cref="BulkOptions.After"/> continues after the last one. A query with <c>Skip</c> or <c>Take</c>, and one of a serial
    /// class, is never committed in parts.
    /// </remarks>
    /// <returns>The number of entities that were found, the number that were written, and the number of transactions.</returns>
    /// <exception cref="TransactionLimitException">There are more results than one transaction can hold, and they cannot be changed in parts. Nothing was written.</exception>
    public Task<SaveResult> ExecuteUpdateAsync(Action<PropertySetters<T>> setProperties, BulkOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Operator.ExecuteAsync(UpdateOf(setProperties), options, cancellationToken);
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
