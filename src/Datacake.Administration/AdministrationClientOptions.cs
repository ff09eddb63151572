namespace Datacake.Administration;

/// <summary>The settings of an <see cref="AdministrationClient"/>.</summary>
public sealed class AdministrationClientOptions
{
    /// <summary>Gets or sets the name of the store that all calls concern; null for the node's own store, and never an empty text. Default: null.</summary>
    public string? Store { get; set; }

    /// <summary>Gets or sets the operator secret, which commands need. Default: none.</summary>
    public string? OperatorSecret { get; set; }

    /// <summary>Gets or sets the name of the operator for the log of the nodes. Default: the user and the machine.</summary>
    public string OperatorName { get; set; } = $"{Environment.UserName}@{Environment.MachineName}";

    /// <summary>Gets or sets the time that a call may take. Default: 30 seconds. Backup, compaction and verification have no limit.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);
}
