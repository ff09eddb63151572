namespace Datacake.Data;

/// <summary>
/// Takes part in the saves and queries of contexts, and is awaited: derive a class from it, override what is of interest, and add an instance to
/// <see cref="DatacakeContext.Interceptors"/>, or to all contexts of a registration with <c>AddDatacakeContext</c>.
/// </summary>
/// <remarks>
/// An instance that several contexts share is called by all of them, at the same time too. The interceptors of a context are called one after the other, in their order.
/// </remarks>
public abstract class DatacakeInterceptor
{
    /// <summary>
    /// Is called before a save looks for changes: what it changes, adds and removes is part of the save. What it throws fails the save, before anything is written. Tracked entities that
    /// are deleted with others are <see cref="EntityState.Deleted"/> by then, and those whose foreign keys are set to null are <see cref="EntityState.Modified"/>; one that is given another
    /// state keeps it.
    /// </summary>
    /// <param name="context">The context that saves.</param>
    /// <param name="save">The save.</param>
    /// <param name="cancellationToken">The token of the save.</param>
    public virtual ValueTask SavingChangesAsync(DatacakeContext context, SavingChangesEventArgs save, CancellationToken cancellationToken) => default;

    /// <summary>Is called after a save that succeeded. What it throws reaches the caller of the save, which stays.</summary>
    /// <param name="context">The context that saved.</param>
    /// <param name="save">The save.</param>
    /// <param name="cancellationToken">The token of the save.</param>
    public virtual ValueTask SavedChangesAsync(DatacakeContext context, SavedChangesEventArgs save, CancellationToken cancellationToken) => default;

    /// <summary>Is called after a save that failed, or was canceled, before its caller gets the exception.</summary>
    /// <param name="context">The context that saved.</param>
    /// <param name="failure">Why it failed.</param>
    public virtual ValueTask SaveChangesFailedAsync(DatacakeContext context, SaveChangesFailedEventArgs failure) => default;

    /// <summary>
    /// Is called before the store is read for a query, an update or delete of what a query finds, or by a key. What it throws fails the query.
    /// </summary>
    /// <param name="context">The context that reads.</param>
    /// <param name="query">The query.</param>
    /// <param name="cancellationToken">The token of the query.</param>
    public virtual ValueTask QueryExecutingAsync(DatacakeContext context, QueryExecutingEventArgs query, CancellationToken cancellationToken) => default;

    /// <summary>Is called when a query has its results, has failed, or is left before its end.</summary>
    /// <param name="context">The context that read.</param>
    /// <param name="query">The query, and what came of it.</param>
    public virtual ValueTask QueryExecutedAsync(DatacakeContext context, QueryExecutedEventArgs query) => default;
}
