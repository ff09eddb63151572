namespace Datacake.Data;

/// <summary>
/// A description of an entity class in a class of its own, which <see cref="ModelBuilder.ApplyConfiguration"/> names. The source generator
/// reads it at compile time, like <see cref="DatacakeContext.OnModelCreating"/>, and it is never run. So it must be in the same project.
/// </summary>
/// <typeparam name="T">The entity class.</typeparam>
public interface IEntityTypeConfiguration<T>
    where T : class
{
    /// <summary>Describes the entity class, by a sequence of calls.</summary>
    /// <param name="builder">The builder of the entity class.</param>
    void Configure(EntityTypeBuilder<T> builder);
}
