namespace Datacake.Administration;

/// <summary>The state of a durable consumer of a store.</summary>
/// <param name="Name">The keyspace and the name of the consumer, such as <c>Orders/mailer</c>.</param>
/// <param name="ProcessedUpTo">The time of the last transaction that the consumer has processed.</param>
/// <param name="IsLoading">True if the consumer still loads what existed before it began, or is to load everything again.</param>
public sealed record ConsumerStatus(string Name, DateTimeOffset ProcessedUpTo, bool IsLoading);
