using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;
using Datacake.Node;

namespace Datacake.Data.Tests.Modeling;

/// <summary>A model declared by both attributes and code: converters, derived classes, generated keys.</summary>
public sealed partial class FleetContext(DatacakeNode node) : DatacakeContext(node)
{
    const int MaxPlate = 8;

    public partial Keyspace<Vehicle> Vehicles { get; }

    public partial Keyspace<Invoice> Invoices { get; }

    public partial Keyspace<Reading> Readings { get; }

    public partial Keyspace<Shape> Shapes { get; }

    protected override void OnModelCreating(ModelBuilder model)
    {
        var vehicle = model.Entity<Vehicle>();
        vehicle.ToKeyspace("fleet").HasKey(v => v.Plate).HasIndex(v => new { v.Kind, v.Seats }).IsDescending(false, true);
        vehicle.Property(v => v.Plate).HasConversion(plate => plate.Text, text => new Plate(text));
        vehicle.Property(v => v.Kind).HasConversion<string>();
        vehicle.Property(v => v.Owner).IsRequired().HasMaxLength(MaxPlate);
        vehicle.Property(v => v.Trips).IsCounter();
        vehicle.Ignore(v => v.Session);
        vehicle.HasDiscriminator().HasValue<Truck>("truck").HasValue<Trailer>("trailer");
        vehicle.HasIndex(v => new { v.Owner, ((Truck)v).Load });
        model.Entity<Truck>(truck =>
        {
            truck.HasIndex(t => t.Engine!.Fuel);
            truck.Property(t => t.License).HasMaxLength(3);
            truck.Property(t => t.Engine!.Fuel).IsConcurrencyToken();
        });

        model.Entity<Invoice>(invoice =>
        {
            invoice.HasIndex(i => i.Amount);
            invoice.Property(i => i.Number).ValueGeneratedOnAdd();
        });
    }
}

public readonly record struct Plate(string Text);

public enum VehicleKind
{
    Zebra,
    Ant,
    Mule,
}

public class Vehicle
{
    public Plate Plate { get; set; }
    public VehicleKind Kind { get; set; }
    public string? Owner { get; set; }
    public int Seats { get; set; } = 4;
    public int Trips { get; set; }
    public object? Session { get; set; }
}

public class Truck : Vehicle
{
    public Truck() => Seats = 2;

    [Required] public string? License { get; set; }
    [Index] public decimal Load { get; set; }
    [Index] public HashSet<string> Goods { get; } = [];
    public Engine? Engine { get; set; }
}

[Index(nameof(Owner), Name = "trailers")]
public sealed class Trailer(int axles) : Vehicle
{
    public int Axles { get; } = axles;
    [Converter<InvoiceNumberConverter>] public InvoiceNumber? InvoiceNumber { get; set; }
    [Ignore] public Invoice? Invoice { get; set; }
}

public sealed record Engine(string Fuel)
{
    [Counter] public long Hours { get; set; }
}

/// <summary>A derived class that is missing from the model.</summary>
public sealed class Bicycle : Vehicle;

public sealed record Money(decimal Amount, string Currency);

public sealed class MoneyConverter() : ValueConverter<Money, string>(
    money => $"{money.Amount} {money.Currency}",
    text => new Money(decimal.Parse(text.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture), text.Split(' ')[1]));

public readonly record struct InvoiceNumber(long Value);

public sealed class InvoiceNumberConverter() : ValueConverter<InvoiceNumber, long>(number => number.Value, value => new(value));

public sealed class Invoice
{
    [Key, Converter<InvoiceNumberConverter>] public InvoiceNumber Number { get; set; }
    [Converter<MoneyConverter>] public Money? Amount { get; set; }
    public List<InvoiceLine> Lines { get; set; } = [];
    public Dictionary<string, InvoiceLine> Extras { get; } = [];
}

public sealed record InvoiceLine(string Text, decimal Price = 1)
{
    public string Unit { get; set; } = "piece";
    [FormerName("Amount")] public int? Count { get; init; }
    [Converter<MoneyConverter>] public Money? Tax { get; set; }
    public List<Part> Parts { get; set; } = [];
}

public sealed class Part
{
    public string? Name { get; set; }
    public int Weight { get; private set; } = 5;
}

public sealed class Reading
{
    [DatabaseGenerated(DatabaseGeneratedOption.None)] public long Id { get; set; }
    public double Value { get; set; }
}

[Derived(typeof(Circle)), Derived(typeof(Square), "square")]
public abstract class Shape
{
    public Guid Id { get; set; }
    [Index] public string Color { get; set; } = "red";
}

public sealed class Circle : Shape
{
    public double Radius { get; set; } = 1;
}

public sealed class Square : Shape
{
    public double Side { get; set; }
}
