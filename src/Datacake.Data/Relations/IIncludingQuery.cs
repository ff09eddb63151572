namespace Datacake.Data.Querying;

/// <summary>A query that includes related entities, whichever were the last.</summary>
interface IIncludingQuery<T>
    where T : class
{
    /// <param name="inclusion">What is included.</param>
    /// <param name="further">What that is with another inclusion behind it.</param>
    IncludingQuery<T, TRelated> Including<TRelated>(Inclusion<T> inclusion, Func<Inclusion<TRelated>, Inclusion<T>> further)
        where TRelated : class;
}
