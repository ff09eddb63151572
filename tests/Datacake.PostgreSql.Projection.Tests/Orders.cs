namespace Datacake.PostgreSql.Projection.Tests;

/// <summary>Orders with short names.</summary>
static class Orders
{
    /// <summary>Returns the id with a number.</summary>
    public static Guid Id(int number) => new(number, 0, 1, [0, 0, 0, 0, 0, 0, 0, 0]);

    /// <summary>Returns an order.</summary>
    public static Order Of(int number, string customer) => new() { Id = Id(number), Customer = customer };

    /// <summary>Returns the query that shows the customers of a schema.</summary>
    public static string Customers(string schema) => $"SELECT coalesce(string_agg(customer, ',' ORDER BY id), '') FROM {schema}.orders";
}
