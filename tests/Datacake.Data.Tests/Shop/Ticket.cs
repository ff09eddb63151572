using System.ComponentModel.DataAnnotations;

namespace Datacake.Data.Tests.Shop;

/// <summary>An entity with concurrency tokens.</summary>
public sealed class Ticket
{
    public long Id { get; set; }
    [ConcurrencyCheck] public int Version { get; set; }
    [ConcurrencyCheck] public HashSet<string> Owners { get; set; } = [];
    [MaxLength(20)] public string Title { get; set; } = "";
    [Index] public int Priority { get; set; }
    [Counter] public long Votes { get; set; }
    public Address? Place { get; set; }
}
