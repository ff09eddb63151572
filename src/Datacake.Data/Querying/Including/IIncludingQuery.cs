namespace Datacake.Data.Querying.Including;

/// <summary>A query that includes related entities, whatever the class of the most recently included ones.</summary>
interface IIncludingQuery<T>
    where T : class
{
    /// <summary>Adds an inclusion to the query.</summary>
    /// <param name="inclusion">The inclusion.</param>
    /// <param name="further">A function that returns the inclusion followed by another one.</param>
    IncludingQuery<T, TRelated> Including<TRelated>(Inclusion<T> inclusion, Func<Inclusion<TRelated>, Inclusion<T>> further)
        where TRelated : class;
}
