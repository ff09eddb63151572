namespace Datacake.Data.Querying;

/// <summary>A query whose results cannot be ordered by further keys.</summary>
sealed class UnorderedQuery<T>(QueryOperator<T> last) : Query<T>
{
    internal override QueryOperator<T> Operator => last;
}
