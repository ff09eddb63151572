namespace Datacake.Data.Querying;

/// <summary>A query that includes related entities, whichever were the last.</summary>
interface IIncludingQuery<T>
    where T : class
{
    IncludingQuery<T, TRelated> Including<TRelated>(Inclusion<T, TRelated> inclusion)
        where TRelated : class;
}
