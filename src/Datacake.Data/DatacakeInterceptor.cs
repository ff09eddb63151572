namespace Datacake.Data;

/// <summary>
/// The base class of interceptors, which take part in the saves and queries of contexts and are awaited. Derive a class, override the
/// methods of interest, and add an instance to <see cref="DatacakeContext.Interceptors"/>, or to all contexts that
/// <c>AddDatacakeContext</c> registers.
/// </summary>
/// <remarks>
/// If contexts share an instance, they may call it at the same time. The interceptors of one context are called one after another, in
/// order.
/// </remarks>
public abstract class DatacakeInterceptor
{
    /// <summary>
    /// Called before a save detects changes. What the method changes, adds or removes is part of the save. An exception fails the save
    /// before anything is written. Tracked entities that the save deletes by cascade are already <see cref="EntityState.Deleted"/>, and
    /// those whose foreign keys it sets to null are <see cref="EntityState.Modified"/>. An entity to which the method gives another state
    /// keeps it.
    /// </summary>
    /// <param name="context">The context that saves.</param>
    /// <param name="save">The save.</param>
    /// <param name="cancellationToken">The token of the save.</param>
    public virtual ValueTask SavingChangesAsync(DatacakeContext context, SavingChangesEventArgs save, CancellationToken cancellationToken) => default;

    /// <summary>Called after a save has succeeded. An exception reaches the caller of the save, but the save is not undone.</summary>
    /// <param name="context">The context that saved.</param>
    /// <param name="save">The save.</param>
    /// <param name="cancellationToken">The token of the save.</param>
    public virtual ValueTask SavedChangesAsync(DatacakeContext context, SavedChangesEventArgs save, CancellationToken cancellationToken) => default;

    /// <summary>Called after a save has failed or was canceled, before the caller gets the exception.</summary>
    /// <param name="context">The context that tried to save.</param>
    /// <param name="failure">The failure.</param>
    public virtual ValueTask SaveChangesFailedAsync(DatacakeContext context, SaveChangesFailedEventArgs failure) => default;

    /// <summary>
    /// Called before the store is read for a query, for an update or delete of a query's results, or to find an entity by its key. An
    /// exception fails the query.
    /// </summary>
    /// <param name="context">The context that reads.</param>
    /// <param name="query">The query.</param>
    /// <param name="cancellationToken">The token of the query.</param>
    public virtual ValueTask QueryExecutingAsync(DatacakeContext context, QueryExecutingEventArgs query, CancellationToken cancellationToken) => default;

    /// <summary>Called when a query has returned its results, has failed, or was abandoned.</summary>
    /// <param name="context">The context that read.</param>
    /// <param name="query">The query and its outcome.</param>
    public virtual ValueTask QueryExecutedAsync(DatacakeContext context, QueryExecutedEventArgs query) => default;
}
