// A plugin of qemu-user that counts the instructions a program of another processor executes, by function.
// SPDX-License-Identifier: Apache-2.0
//
//   gcc -O2 -shared -fPIC -o qemu_count.so scripts/qemu_count.c
//   OMP_NUM_THREADS=1 qemu-aarch64 -cpu max,sve512=on -L SYSROOT -d plugin -D counts.txt
//     -plugin ./qemu_count.so[,match=TEXT][,top=N] PROGRAM ARGUMENTS…                          (one line)
//
// counts.txt then has one line per function of PROGRAM (-d makes qemu read its symbol table), most first:
// instructions, those of SVE, those of NEON and scalar floating point, loads and stores, mangled name
// (c++filt reads it). What has no symbol (shared libraries, a stripped program) is the line "(no symbol)".
// match=TEXT keeps functions whose mangled name holds TEXT (the total stays that of all); top=N keeps N lines
// (default 40, 0: all).
//
// Between markers: where the program executes `hint #112` and `hint #113` (which do nothing on a processor),
// `asm volatile("hint #112")`, only what runs between the two is counted, for as many pairs as are met; the
// number of pairs is printed, too. Blocks of straight code are counted as wholes, so each marker is uncertain
// by one block.
//
// Counters are plain words: with several threads of the program some counts are lost. Use OMP_NUM_THREADS=1.
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The part of qemu's plugin interface (version 1) used here; Debian packages no header of it.
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb*);
struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb*, size_t);
const void* qemu_plugin_insn_data(const struct qemu_plugin_insn*);
const char* qemu_plugin_insn_symbol(const struct qemu_plugin_insn*);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t,
                                           void (*)(qemu_plugin_id_t, struct qemu_plugin_tb*));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb*, enum qemu_plugin_op, void*, uint64_t);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn*, void (*)(unsigned, void*),
                                            enum qemu_plugin_cb_flags, void*);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void*), void*);
void qemu_plugin_outs(const char*);
__attribute__((visibility("default"))) int qemu_plugin_version = 1;

enum { k_all, k_sve, k_float, k_memory, k_classes };

typedef struct Function {
  struct Function* next;
  const char* name;
  uint64_t now[k_classes], at_start[k_classes], between[k_classes];
} Function;

enum { k_buckets = 4096 };
static Function* s_buckets[k_buckets];
static uint64_t s_pairs;
static bool s_inside;
static const char* s_match = "";
static size_t s_top = 40;

/// Bits 28 to 25 of an instruction name its group in the architecture's encoding table.
static void classify(uint32_t word, uint64_t* counts) {
  const uint32_t group = word >> 25 & 15;
  ++counts[k_all];
  if (group == 2) ++counts[k_sve];
  if ((group & 7) == 7) ++counts[k_float];
  if ((group & 5) == 4) ++counts[k_memory];  // SVE's own loads and stores are in k_sve
}

static Function* function_named(const char* name) {
  size_t hash = 5381;
  for (const char* c = name; *c; ++c) hash = hash * 33 + (unsigned char)*c;
  Function** const bucket = &s_buckets[hash % k_buckets];
  for (Function* f = *bucket; f; f = f->next)
    if (strcmp(f->name, name) == 0) return f;
  Function* const made = calloc(1, sizeof(Function));
  made->name = strdup(name);
  made->next = *bucket;
  *bucket = made;
  return made;
}

static void on_start(unsigned vcpu, void* unused) {
  (void)vcpu, (void)unused;
  s_inside = true;
  for (size_t b = 0; b < k_buckets; ++b)
    for (Function* f = s_buckets[b]; f; f = f->next) memcpy(f->at_start, f->now, sizeof f->now);
}

static void on_stop(unsigned vcpu, void* unused) {
  (void)vcpu, (void)unused;
  if (!s_inside) return;
  s_inside = false;
  ++s_pairs;
  for (size_t b = 0; b < k_buckets; ++b)
    for (Function* f = s_buckets[b]; f; f = f->next)
      for (int k = 0; k < k_classes; ++k) f->between[k] += f->now[k] - f->at_start[k];
}

static void on_block(qemu_plugin_id_t id, struct qemu_plugin_tb* block) {
  (void)id;
  uint64_t counts[k_classes] = {0};
  const char* const name = qemu_plugin_insn_symbol(qemu_plugin_tb_get_insn(block, 0));
  Function* const function = function_named(name && *name ? name : "(no symbol)");
  for (size_t n = 0; n < qemu_plugin_tb_n_insns(block); ++n) {
    struct qemu_plugin_insn* const instruction = qemu_plugin_tb_get_insn(block, n);
    uint32_t word;
    memcpy(&word, qemu_plugin_insn_data(instruction), sizeof word);
    classify(word, counts);
    const uint32_t hint = 0xd503201f;  // hint #n has n in bits 11 to 5
    if (word == (hint | 112u << 5))
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_start, QEMU_PLUGIN_CB_NO_REGS, NULL);
    if (word == (hint | 113u << 5))
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_stop, QEMU_PLUGIN_CB_NO_REGS, NULL);
  }
  for (int k = 0; k < k_classes; ++k)
    if (counts[k])
      qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64, &function->now[k],
                                               counts[k]);
}

static const uint64_t* result(const Function* f) { return s_pairs ? f->between : f->now; }

static int more_first(const void* a, const void* b) {
  const uint64_t left = result(*(Function*const*)a)[k_all], right = result(*(Function*const*)b)[k_all];
  return left < right ? 1 : left > right ? -1 : 0;
}

static void print_row(const uint64_t* counts, const char* name) {
  char line[4096];
  snprintf(line, sizeof line, "%14" PRIu64 " %14" PRIu64 " %14" PRIu64 " %14" PRIu64 "  %s\n", counts[k_all],
           counts[k_sve], counts[k_float], counts[k_memory], name);
  qemu_plugin_outs(line);
}

static void on_exit_of_program(qemu_plugin_id_t id, void* unused) {
  (void)id, (void)unused;
  size_t n = 0, capacity = 0;
  Function** kept = NULL;
  uint64_t total[k_classes] = {0};
  for (size_t b = 0; b < k_buckets; ++b)
    for (Function* f = s_buckets[b]; f; f = f->next) {
      for (int k = 0; k < k_classes; ++k) total[k] += result(f)[k];
      if (result(f)[k_all] == 0 || !strstr(f->name, s_match)) continue;
      if (n == capacity) kept = realloc(kept, (capacity = 2 * capacity + 64) * sizeof *kept);
      kept[n++] = f;
    }
  if (n) qsort(kept, n, sizeof *kept, more_first);
  char line[80];
  snprintf(line, sizeof line, "# pairs of markers: %" PRIu64 "\n", s_pairs);
  qemu_plugin_outs(line);
  qemu_plugin_outs("#          all            sve   neon, scalar   loads, stores  function\n");
  print_row(total, "TOTAL");
  for (size_t i = 0; i < n && (s_top == 0 || i < s_top); ++i) print_row(result(kept[i]), kept[i]->name);
  free(kept);
}

/// Called by qemu; 0 or an error. The second argument describes the emulator, which is not looked at.
__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const void* info,
                                                               int argc, char** argv) {
  (void)info;
  for (int i = 0; i < argc; ++i) {
    if (strncmp(argv[i], "match=", 6) == 0)
      s_match = strdup(argv[i] + 6);
    else if (strncmp(argv[i], "top=", 4) == 0)
      s_top = strtoul(argv[i] + 4, NULL, 10);
    else {
      fprintf(stderr, "qemu_count: there is no option '%s' (there are match=TEXT and top=N)\n", argv[i]);
      return -1;
    }
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_block);
  qemu_plugin_register_atexit_cb(id, on_exit_of_program, NULL);
  return 0;
}
