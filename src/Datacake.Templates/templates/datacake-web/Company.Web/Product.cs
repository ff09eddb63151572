using Datacake.Data;

namespace Company.Web;

/// <summary>A product of the shop.</summary>
public sealed class Product
{
    public Guid Id { get; set; }

    [Index]
    public string Name { get; set; } = "";

    public decimal Price { get; set; }

    /// <summary>Gets or sets the number in stock, which all nodes can change at once. It is never below zero, even if nodes are cut off from each other.</summary>
    [Counter(Minimum = 0)]
    public int Stock { get; set; }
}
