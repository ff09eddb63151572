using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Tests.Query.Market;

/// <summary>The sources of the queries of the suite, in a store or in memory.</summary>
public sealed record MarketSources(
    IQueryable<Customer> Customers, IQueryable<Order> Orders, IQueryable<Line> Lines, IQueryable<Product> Products, IQueryable<Employee> Employees)
{
    public static MarketSources Of(MarketData data) => new(
        new OrdinalQueryable<Customer>(data.Customers.AsQueryable()), new OrdinalQueryable<Order>(data.Orders.AsQueryable()),
        new OrdinalQueryable<Line>(data.Lines.AsQueryable()), new OrdinalQueryable<Product>(data.Products.AsQueryable()),
        new OrdinalQueryable<Employee>(data.Employees.AsQueryable()));

    public static MarketSources Of(MarketContext db, bool isTracking) =>
        Of(db.Customers, db.Orders, db.Lines, db.Products, db.Employees, isTracking);

    public static MarketSources Of(IndexedMarketContext db, bool isTracking) =>
        Of(db.Customers, db.Orders, db.Lines, db.Products, db.Employees, isTracking);

    /// <summary>Returns the market as of a snapshot, in which the indexes may not exist yet.</summary>
    internal static MarketSources Of(LaterMarketContext db, StoreSnapshot snapshot)
    {
        return new(At(db.Customers), At(db.Orders), At(db.Lines), At(db.Products), At(db.Employees));

        IQueryable<T> At<T>(Query<T> query) => query.Operator.At(snapshot).ToQuery().AsQueryable();
    }

    static MarketSources Of(
        Keyspace<Customer> customers, Keyspace<Order> orders, Keyspace<Line> lines, Keyspace<Product> products, Keyspace<Employee> employees, bool isTracking)
    {
        return new(Start(customers), Start(orders), Start(lines), Start(products), Start(employees));

        IQueryable<T> Start<T>(Keyspace<T> keyspace)
            where T : class => (isTracking ? keyspace : keyspace.AsNoTracking()).AsQueryable();
    }
}
