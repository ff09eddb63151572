namespace Datacake.Data.Querying.Operators;

/// <summary>The key of a group and its aggregates, from which a result is made.</summary>
sealed record AggregatedGroup<TKey>(TKey Key, object[] Aggregates);
