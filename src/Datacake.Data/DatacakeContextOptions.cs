using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>
/// The settings that new contexts of a node start with. See <see cref="DatacakeNodeModelExtensions.WithContexts"/>.
/// </summary>
public sealed class DatacakeContextOptions
{
    /// <summary>
    /// Gets or sets the consistency level of saves that do not specify one. Default: <see cref="Consistency.Quorum"/>.
    /// </summary>
    public Consistency DefaultConsistency { get; set; } = Consistency.Quorum;

    /// <summary>
    /// Gets or sets the number of documents above which a query counts as a scan; see <see cref="DatacakeContext.ScanWarningThreshold"/>.
    /// Default: 10,000.
    /// </summary>
    public long ScanWarningThreshold { get; set; } = 10_000;
}
