namespace Datacake.Data;

/// <summary>A query for all entities of a keyspace, from which other queries start.</summary>
public abstract class KeyspaceQuery<T> : Query<T>
    where T : class
{
    private protected KeyspaceQuery()
    {
    }
}
