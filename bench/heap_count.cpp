// LD_PRELOAD for a Postern whose heap is to be measured: counts the bytes in use exactly, as the
// usable size of every block between its allocation and its release. mimalloc 2.0 as Debian builds
// it counts committed memory only, and lets a thread walk no heap but its own. Counting costs some
// nanoseconds a call, so the shipped executable does not.
#include <mimalloc.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <new>

namespace {

/// A counter a thread, by turns: they are only ever summed.
struct alignas(64) Slot {
    std::atomic<std::ptrdiff_t> bytes{0};
};
constexpr unsigned slot_count = 64;
Slot slots[slot_count];
std::atomic<unsigned> next_slot{0};

std::atomic<std::ptrdiff_t>& counter() noexcept {
    static thread_local unsigned mine = next_slot.fetch_add(1) % slot_count;
    return slots[mine].bytes;
}

std::ptrdiff_t size_of(const void* block) noexcept { return static_cast<std::ptrdiff_t>(mi_usable_size(block)); }

void* counted(void* block) noexcept {
    if (block != nullptr) counter().fetch_add(size_of(block), std::memory_order_relaxed);
    return block;
}

void* counted_or_throw(void* block) {
    if (block == nullptr) throw std::bad_alloc();
    return counted(block);
}

void released(void* block) noexcept {
    if (block == nullptr) return;
    counter().fetch_sub(size_of(block), std::memory_order_relaxed);
    mi_free(block);
}

std::size_t of(std::align_val_t alignment) noexcept { return static_cast<std::size_t>(alignment); }

}  // namespace

extern "C" {

/// What core/observe looks for.
long long postern_heap_in_use() {
    std::ptrdiff_t sum = 0;
    for (const Slot& slot : slots) sum += slot.bytes.load(std::memory_order_relaxed);
    return sum;
}

void* malloc(std::size_t size) { return counted(mi_malloc(size)); }
void* calloc(std::size_t count, std::size_t size) { return counted(mi_calloc(count, size)); }
void* realloc(void* block, std::size_t size) {
    const std::ptrdiff_t before = block == nullptr ? 0 : size_of(block);
    void* moved = mi_realloc(block, size);
    if (moved != nullptr) counter().fetch_add(size_of(moved) - before, std::memory_order_relaxed);
    return moved;
}
void free(void* block) { released(block); }
void cfree(void* block) { released(block); }
void* memalign(std::size_t alignment, std::size_t size) { return counted(mi_memalign(alignment, size)); }
void* aligned_alloc(std::size_t alignment, std::size_t size) { return counted(mi_aligned_alloc(alignment, size)); }
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
    const int failed = mi_posix_memalign(out, alignment, size);
    if (failed == 0) counted(*out);
    return failed;
}
void* valloc(std::size_t size) { return counted(mi_valloc(size)); }
void* pvalloc(std::size_t size) { return counted(mi_pvalloc(size)); }
void* reallocarray(void* block, std::size_t count, std::size_t size) {
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return nullptr;
    }
    return realloc(block, bytes);
}
std::size_t malloc_usable_size(void* block) { return mi_usable_size(block); }

}  // extern "C"

void* operator new(std::size_t size) { return counted_or_throw(mi_malloc(size)); }
void* operator new[](std::size_t size) { return counted_or_throw(mi_malloc(size)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return counted(mi_malloc(size)); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return counted(mi_malloc(size)); }
void* operator new(std::size_t size, std::align_val_t a) { return counted_or_throw(mi_malloc_aligned(size, of(a))); }
void* operator new[](std::size_t size, std::align_val_t a) { return counted_or_throw(mi_malloc_aligned(size, of(a))); }
void* operator new(std::size_t size, std::align_val_t a, const std::nothrow_t&) noexcept { return counted(mi_malloc_aligned(size, of(a))); }
void* operator new[](std::size_t size, std::align_val_t a, const std::nothrow_t&) noexcept { return counted(mi_malloc_aligned(size, of(a))); }
void operator delete(void* block) noexcept { released(block); }
void operator delete[](void* block) noexcept { released(block); }
void operator delete(void* block, std::size_t) noexcept { released(block); }
void operator delete[](void* block, std::size_t) noexcept { released(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { released(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { released(block); }
void operator delete(void* block, std::align_val_t) noexcept { released(block); }
void operator delete[](void* block, std::align_val_t) noexcept { released(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { released(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { released(block); }
void operator delete(void* block, std::align_val_t, const std::nothrow_t&) noexcept { released(block); }
void operator delete[](void* block, std::align_val_t, const std::nothrow_t&) noexcept { released(block); }
