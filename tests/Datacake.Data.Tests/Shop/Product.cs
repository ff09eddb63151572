namespace Datacake.Data.Tests.Shop;

public sealed class Product
{
    public long Id { get; set; }
    public string Name { get; set; } = "";
    [Index] public string Category { get; set; } = "";
    public decimal Price { get; set; }
    [Counter] public long Stock { get; set; }
    public HashSet<string> Tags { get; set; } = [];
    public Address? Warehouse { get; set; }
}

public sealed class Address
{
    public string Street { get; set; } = "";
    public string City { get; set; } = "";
    public GeoPoint? Location { get; set; }
}

public sealed record GeoPoint(double Latitude, double Longitude);
