// The C library shows dl_iterate_phdr(3) only with this.
#define _GNU_SOURCE
#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "CWeftLinux.h"

static int weft_release_code_of(struct dl_phdr_info *object, size_t size, void *released) {
    (void)size;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        // Code and constants only: what was ever written (data, relocations) is not in the file and would be lost.
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X) || (segment->p_flags & PF_W)) {
            continue;
        }
        const uintptr_t first = object->dlpi_addr + segment->p_vaddr;
        const uintptr_t begin = (first + page - 1) & ~(page - 1);
        const uintptr_t end = (first + segment->p_memsz) & ~(page - 1);
        if (end > begin && madvise((void *)begin, end - begin, MADV_DONTNEED) == 0) {
            *(size_t *)released += end - begin;
        }
    }
    // The first object is the program itself, and the only one of interest.
    return 1;
}

size_t weft_release_code(void) {
    size_t released = 0;
    dl_iterate_phdr(weft_release_code_of, &released);
    return released;
}
