using Datacake.Data;

namespace Datacake.Shop;

/// <summary>A cake that is sold.</summary>
public sealed class Product
{
    public int Id { get; set; }

    public string Name { get; set; } = "";

    public decimal Price { get; set; }

    /// <summary>Gets or sets the number in stock, which all nodes can change at once. It is never below zero.</summary>
    [Counter(Minimum = 0)]
    public int Stock { get; set; }
}
