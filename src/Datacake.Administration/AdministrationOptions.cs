namespace Datacake.Administration;

/// <summary>The settings of a node's administration.</summary>
public sealed class AdministrationOptions
{
    /// <summary>The minimum length of an operator secret in characters.</summary>
    public const int MinSecretLength = 16;

    const int MaxLogLines = 100_000;

    /// <summary>
    /// Gets or sets the operator secret, which clients must know to change something. Keep it off the machines of the nodes' clients, and different from
    /// the cluster secret. Default: none, so that nothing can be changed from outside the node's process.
    /// </summary>
    public string? OperatorSecret { get; set; }

    /// <summary>Gets or sets the number of log lines that are kept in memory. Default: 1,000.</summary>
    public int LogLines { get; set; } = 1_000;

    /// <summary>Gets or sets the consistency level that writes have to satisfy, for the findings. Default: quorum.</summary>
    public EventualConsistency.Consistency Level { get; set; } = EventualConsistency.Consistency.Quorum;

    internal void Validate()
    {
        if (OperatorSecret is { Length: < MinSecretLength })
            throw new ArgumentException($"The operator secret has {OperatorSecret.Length} characters. Use at least {MinSecretLength}.", nameof(OperatorSecret));
        if (LogLines is < 0 or > MaxLogLines)
            throw new ArgumentException($"{nameof(AdministrationOptions)}.{nameof(LogLines)} is {LogLines}; it must be from 0 to {MaxLogLines:N0}.", nameof(LogLines));
    }
}
